"""The words of dates and money are those of the locale data."""

import json
import subprocess
import sys

from records.locale_words import WORDS
from tests.installation import ROOT
from tests.records.locale_words import words


def test_the_words_that_are_kept_are_those_of_the_locale_data():
    assert json.loads(WORDS.read_text(encoding="utf-8")) == words()


def test_the_locale_data_itself_is_not_loaded():
    code = (
        "import sys; from records.dates.names import month_number; "
        "from records.number_parts import currencies; "
        "assert month_number('März') == 3 and 'EUR' in currencies('€'); "
        "assert 'babel' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
