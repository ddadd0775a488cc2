"""Inputs that are easily read wrongly, made for these tests.

Larger collections of the kind lie beside the project where it is developed (`OUTSIDE`); tests that
take these take those as well, where they are there.
"""

import json
from pathlib import Path

OUTSIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
# Small tables with the oddities of real ones; see the README there.
TABLES = Path(__file__).resolve().parent / "data"

# CSV, and the rows that it holds.
CSV: dict[str, tuple[str, list[dict[str, str]]]] = {
    "plain": ("a,b\n1,2\n3,4\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    "no line end behind the last row": ("a,b\n1,2", [{"a": "1", "b": "2"}]),
    "delimiter within quotes": (
        'name,place,code\nAda Moss,"Lower Fenwick, Norfolk",00501\n',
        [{"name": "Ada Moss", "place": "Lower Fenwick, Norfolk", "code": "00501"}],
    ),
    "empty cells, quoted and not": (
        'a,b,c\n1,"",\n"",2,3\n',
        [{"a": "1", "b": "", "c": ""}, {"a": "", "b": "2", "c": "3"}],
    ),
    "quotes within quotes": (
        'a,b\n1,"she said ""no"" twice"\n2,""""\n',
        [{"a": "1", "b": 'she said "no" twice'}, {"a": "2", "b": '"'}],
    ),
    "line ends within quotes": (
        'a,b\n"first\nsecond",1\n"third\n\nfifth",2\n',
        [{"a": "first\nsecond", "b": "1"}, {"a": "third\n\nfifth", "b": "2"}],
    ),
    "quotes and line ends within quotes": (
        'a,b\n1,"so\n""they""\nsay"\n2,x\n',
        [{"a": "1", "b": 'so\n"they"\nsay'}, {"a": "2", "b": "x"}],
    ),
    "JSON in a cell": (
        'id,shape\n7,"{""kind"": ""line"", ""points"": [[0, 1.5], [2, 3]]}"\n',
        [{"id": "7", "shape": '{"kind": "line", "points": [[0, 1.5], [2, 3]]}'}],
    ),
    "letters of other scripts": (
        "a,b\nпривет,日本\nñandú,🙂\n",
        [{"a": "привет", "b": "日本"}, {"a": "ñandú", "b": "🙂"}],
    ),
    "spaces are part of a cell": ("a,b\n x , y\n", [{"a": " x ", "b": " y"}]),
}

# JSON that has to be read.
VALID_JSON: dict[str, bytes] = {
    "empty array": b"[]",
    "empty object": b"{}",
    "white space around": b" \t\r\n[ 1 ,\n2 ] \n",
    "byte order mark": b'\xef\xbb\xbf[{"a": 1}]',
    "one object": b'{"a": 1, "b": [true, false, null]}',
    "a number on its own": b"42",
    "a text on its own": b'"text"',
    "a word on its own": b"null",
    "array of objects": b'[{"a": 1}, {"a": 2, "b": "x"}, {}]',
    "mixed array": b'[1, "two", null, [3], {"four": 4}]',
    "arrays within arrays": b"[[[[[[[[]]]]]]]]",
    "an empty name": b'[{"": 0}]',
    "a name that is there twice": b'[{"a": 1, "a": 2}]',
    "a name with a line end": b'[{"one\\ntwo": 1}]',
    "escapes": b'["\\" \\\\ \\/ \\b \\f \\n \\r \\t"]',
    "escaped letters": b'["\\u0041\\u00e9\\u4e2d"]',
    "a pair of surrogates": b'["\\ud83d\\ude42"]',
    "an escaped NUL": b'["a\\u0000b"]',
    "letters of other scripts": '["привет", "日本", "🙂"]'.encode(),
    "characters that are no characters": b'["\xef\xbf\xbf\xef\xb7\x90"]',
    "line separators": b'["\xe2\x80\xa8\xe2\x80\xa9"]',
    "a delete": b'["\x7f"]',
    "numbers": b"[0, -0, 1, -1, 1.5, -0.25, 1e3, 1E+3, 1.25e-3, 0e1]",
    "many digits": b"[123456789012345678901234567890, 0.1000000000000000055511151231257827]",
}

# What is no JSON, and has to be refused.
INVALID_JSON: dict[str, bytes] = {
    "nothing but a comma": b"[,]",
    "a comma too many": b"[1,]",
    "a comma too many at first": b"[,1]",
    "two commas": b"[1,,2]",
    "no comma": b"[1 true]",
    "a comma behind the end": b"[1],",
    "an array that is not closed": b"[1",
    "an object that is not closed": b'{"a": 1',
    "a text that is not closed": b'["a',
    "a bracket too many": b"[1]]",
    "the wrong bracket": b"[1}",
    "a second document": b'{"a": 1} {"b": 2}'.replace(b" {", b"#{"),
    "a name without quotes": b"{a: 1}",
    "a name in single quotes": b"{'a': 1}",
    "a number as a name": b"{1: 1}",
    "no colon": b'{"a" 1}',
    "two colons": b'{"a":: 1}',
    "no value": b'{"a":}',
    "a comma too many in an object": b'{"a": 1,}',
    "a comment": b"[1 /* one */]",
    "a word that is none": b"[nil]",
    "a word in capitals": b"[True]",
    "half a word": b"[tru",
    "a leading zero": b"[012]",
    "a plus": b"[+1]",
    "a minus on its own": b"[-]",
    "no digit before the point": b"[.5]",
    "no digit behind the point": b"[5.]",
    "no exponent": b"[1e]",
    "two points": b"[1.2.3]",
    "hexadecimal": b"[0x1F]",
    "digits of another script": "[\uff11]".encode(),
    "an escape that is none": b'["\\x41"]',
    "half an escape": b'["\\u00e"]',
    "an escaped line end": b'["a\\\nb"]',
    "a line end in a text": b'["a\nb"]',
    "a tab in a text": b'["a\tb"]',
    "single quotes": b"['a']",
    "a byte that is no UTF-8 outside of texts": b"[1\xff]",
    "very deep": b"[" * 100_000,
    "markup": b"<html></html>",
}

# What readers of JSON may take or refuse; each row has to be accounted for all the same.
DOUBTFUL_JSON: dict[str, bytes] = {
    # These cost their row only.
    "not a number": b"[NaN]",
    "infinity": b"[-Infinity]",
    "a number beyond all bounds": b"[1e400, -1e400]",
    "a number next to nothing": b"[1e-400]",
    "very many digits": b"[" + b"9" * 5_000 + b"]",
    "half a pair of surrogates": b'["\\ud83d"]',
    "the other half": b'["\\ude42 text"]',
    "surrogates the wrong way round": b'["\\ude42\\ud83d"]',
    "bytes that are no UTF-8": b'["\xff\xfe\x80"]',
    "an overlong sequence": b'["\xc0\xaf"]',
    "a sequence that is cut off": b'["\xe2\x82"]',
    "Latin-1": b'["caf\xe9"]',
    "UTF-16 with a mark": '["é"]'.encode("utf-16"),
    "UTF-16 without a mark": '["é"]'.encode("utf-16-le"),
    "500 arrays within each other": b"[" * 500 + b"]" * 500,
}

# Texts that break programs. None holds a NUL, which no database keeps.
STRINGS = [
    "", " ", "  two spaces before and behind  ", "\t", "tab\tinside", "NULL", "null", "None",
    "undefined", "nil", "NaN", "inf", "-Infinity", "true", "FALSE", "0", "-0", "00501", "1e400",
    "1,000.50", "1.000,50", "0x1F", "1/0", "--1", "½", "\uff11\uff12",
    "123456789012345678901234567890", "2026-02-30", "24:61", "=1+1", "+1", "-1", "@now",
    '=HYPERLINK("x")', "'", "''", '"', '""', "'\"'", "a,b", "a|b", "a\\", "\\n", "\\u0041", "%s",
    "{}", "${HOME}", "1 OR 1=1", "' UNION SELECT 1 --", "<b>bold</b>",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{ 7 }}", "{% debug %}",
    "javascript:alert(1)", "../../etc/passwd", "C:\\con", "$(id)", "| ls", "two\nlines",
    "three\r\nwith\r\nreturns", "a\rb", "\n", "line\u2028separator\u2029",
    "\x01\x02\x1b[31mred\x7f", "\ufeffmark", "zero\u200bwidth\u200djoiner", "soft\xadhyphen",
    "\xa0no-break\u3000wide", "\u202eright to left", "שלום عالم", "مرحبا",
    "ह\u093fन\u094dद\u0940", "ไทย", "한국어", "日本語テキスト", "Ærøskøbing", "İstanbul ı",
    "straße SS ẞ", "ﬁ ligature", "e\u0301 é", "Z\u0335\u0322a\u0334\u030dl", "🙂",
    "👩\u200d👩\u200d👧\u200d👦", "🇪🇺", "👍🏽", "𝒳", "\U0010ffff", "\ufffd", "\uffff",
    "«quotes» „auch“ ‘so’",
    # Last, so that a file of one column is not taken for one with semicolons, or quoted by `.
    "`id`", "a;b", "'; DROP TABLE data_records; --", "&lt;&amp;",
]  # fmt: skip


def outside(pattern: str) -> list[Path]:
    """Files of the collections from outside; none where they are not there."""
    return sorted(OUTSIDE.glob(pattern))


def odd_strings() -> list[str]:
    """Texts that break programs, with those from outside where they are there."""
    more = [
        text for path in outside("blns/blns.json") for text in json.loads(path.read_text("utf-8"))
    ]
    return STRINGS + more
