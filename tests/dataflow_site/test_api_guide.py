"""What the guide of the API shows works as it stands, against a started installation."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.installation import ROOT, Installation
from tests.site import Site

pytestmark = [pytest.mark.cluster, pytest.mark.any_database]

GUIDE = ROOT / "docs" / "how-to" / "use-the-api.md"
SNIPPETS = re.findall(r"^```(bash|python)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
COMMAND = {"bash": ("bash", "-euc"), "python": (sys.executable, "-c")}
CSV = "id,amount\n17,12.50\n18,3.00\n"
CREATE_CLIENT = """
from django.contrib.auth.models import User
from accounts.models import TokenScope
from accounts.oauth.clients import ClientKind, create_client
client, secret = create_client(
    owner=User.objects.get(username="admin"), name="Guide", kind=ClientKind.SERVICE,
    scope=TokenScope.READ, sources=None,
)
print(client.pk, secret)
"""


@pytest.fixture(scope="module")
def site(own_installation: Installation) -> Site:
    return Site(own_installation, "--no-samples")


def test_the_snippets_of_the_guide_do_what_it_says(site, tmp_path):
    (tmp_path / "sales.csv").write_text(CSV)
    made = site.installation.manage("shell", "-v0", "-c", CREATE_CLIENT).split()
    environment = os.environ | {"URL": site.url, "TOKEN": site.token.removeprefix("Token ")}
    environment |= dict(zip(("CLIENT_ID", "CLIENT_SECRET"), made, strict=True))
    said = []
    for language, text in SNIPPETS:
        done = subprocess.run(
            [*COMMAND[language], text],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        said.append(done.stdout)
    upload, waited, listed, walked, frame, token = said
    assert '"kind":"ingestion"' in upload
    assert waited.startswith("finished {'read': 2")
    assert '"sales:17"' in listed
    assert walked.splitlines() == [
        "sales:17 {'id': '17', 'amount': '12.50'}",
        "sales:18 {'id': '18', 'amount': '3.00'}",
    ]
    assert frame.strip() == "2"
    assert json.loads(token)["token_type"] == "Bearer"
