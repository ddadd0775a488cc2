"""Which legacy encoding a text has, told by its words."""

import pytest

from ingestion.parsing.detection import detect
from ingestion.parsing.detection.legacy import guesses

WORDS = {
    "French": "prénom,lieu\nHélène,Besançon\nFrançois,Nîmes\nAnaïs,Orléans\nGaël,Évreux\n",
    "German": "Straße,Stück\nMühlenweg,zwölf\nBäckergasse,fünf\nÜberführung,größer\n",
    "Polish": "imię,miejscowość\nStanisław,Łódź\nGrażyna,Świdnica\nZdzisław,Gdańsk\n",
    "Czech": "příjmení,město\nDvořáková,Plzeň\nNěmec,Břeclav\nŽižka,Děčín\n",
    "Hungarian": "név,város\nSzűcs,Győr\nKőszegi,Székesfehérvár\nTóth,Debrecen-Józsa\n",
    "Turkish": "müşteri,şehir\nÇağlar,Eskişehir\nGülşen,Iğdır\nÖzgür,Muğla\n",
    "Russian": "товар,город\nмолоко,Самара\nхлеб,Тверь\nсахар,Воронеж\n",
    "Greek": "προϊόν,πόλη\nψωμί,Θεσσαλονίκη\nγάλα,Ηράκλειο\n",
    "Hebrew": "מוצר,עיר\nלחם,חיפה\nחלב,ירושלים\n",
    "Arabic": "منتج,مدينة\nخبز,القاهرة\nحليب,دمشق\n",
    "Japanese": "品名,店舗\nりんご,札幌支店\nノート,名古屋支店\n",
    "Korean": "품목,지점\n사과,대구\n공책,광주\n",
    "Simplified": "品名,分店\n苹果,广州\n练习本,南京\n",
    "Traditional": "品名,分店\n蘋果,臺中\n練習簿,高雄\n",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("French", "cp1252"), ("French", "iso8859-15"), ("French", "mac-roman"),
        ("French", "cp850"),
        ("German", "cp1252"), ("German", "mac-roman"), ("German", "cp437"), ("German", "cp850"),
        ("Polish", "cp1250"), ("Polish", "iso8859-2"), ("Polish", "cp852"),
        ("Czech", "cp1250"), ("Czech", "iso8859-2"), ("Czech", "cp852"),
        ("Hungarian", "cp1250"), ("Hungarian", "cp852"),
        ("Turkish", "cp1254"),
        ("Russian", "cp1251"), ("Russian", "koi8-r"), ("Russian", "cp866"),
        ("Russian", "iso8859-5"),
        ("Greek", "cp1253"), ("Greek", "iso8859-7"),
        ("Hebrew", "cp1255"), ("Arabic", "cp1256"),
        ("Japanese", "cp932"), ("Japanese", "euc_jp"), ("Japanese", "iso2022_jp"),
        ("Korean", "cp949"), ("Simplified", "gb18030"), ("Traditional", "big5"),
    ],
)  # fmt: skip
def test_a_short_text_is_read_as_it_was_written(tmp_path, language, encoding):
    text = WORDS[language]
    path = tmp_path / "words.csv"
    path.write_bytes(text.encode(encoding))
    found = detect(path, path.name)
    assert path.read_bytes().decode(found.encoding) == text


@pytest.mark.parametrize("text", ["18 °C", "£5", "Zoë", "10 € – “ok”", "naïve"])
def test_a_few_western_signs_are_those_of_windows(text):
    assert guesses(f"{text}\n".encode("cp1252"))[0].encoding == "cp1252"


def test_the_guesses_differ_in_what_they_read(tmp_path):
    found = guesses("товар\nмолоко\n".encode("koi8-r"))
    assert found[0] == ("koi8-r", "товар, молоко")
    assert len({guess.text for guess in found}) == len(found) > 1


def test_utf8_is_never_guessed_away(tmp_path):
    path = tmp_path / "words.csv"
    path.write_bytes("товар,город\nмолоко,Самара\n".encode() + b"\xe9,\xe9\n")
    found = detect(path, path.name)
    assert (found.encoding, found.guesses) == ("utf-8", [])
