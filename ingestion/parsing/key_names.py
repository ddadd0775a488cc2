"""What the name of a column says about its being the key. Pure: no Django, no tables."""

from enum import IntEnum

from ingestion.parsing.mapping import plain_name


class KeyName(IntEnum):
    """The kinds of names, in the order in which they are preferred."""

    KEY = 0
    LIKE_A_KEY = 1
    # Only the cells can tell.
    SILENT = 2
    # The number of a row or nothing more than "number".
    NUMBER = 3
    # The key of something else: of the customer in a file of orders.
    OF_OTHERS = 4

    @property
    def promises_a_key(self) -> bool:
        """Whether people expect the column to be a key."""
        return self in (KeyName.KEY, KeyName.LIKE_A_KEY, KeyName.OF_OTHERS)


KEY = {"id", "uuid", "guid", "identifier", "record id", "row id", "unique id", "unique key"}
# Words of a name that is a key. Languages that write words together have them at the end.
ID_WORDS = {"id", "ids", "uuid", "guid", "key", "identifier", "ident", "ref", "reference"}
NUMBER_WORDS = {
    "no", "nr", "num", "number", "nummer", "numero", "número", "numéro", "núm", "numer", "numara",
    "čislo", "číslo", "номер", "№", "番号", "编号", "編號", "号", "번호", "nro", "nº", "n°", "lp",
}  # fmt: skip
ENDINGS = ("nummer", "nummern", "nr", "номер", "番号", "编号", "編號", "单号", "번호")
# What a row is often about only as one of many: its key repeats in most files. Beginnings of words.
OTHERS = (
    "account", "agency", "agent", "article", "artikel", "bank", "branch", "campaign", "category",
    "channel", "client", "cliente", "company", "contact", "country", "customer", "department",
    "device", "driver", "employee", "fax", "filiale", "fornitore", "fournisseur", "group", "handy",
    "house", "iban", "item", "konto", "kunde", "klient", "lieferant", "location", "machine",
    "manager", "material", "member", "merchant", "mitarbeiter", "mobil", "müşteri", "parent",
    "partner", "patient", "person", "phone", "postal", "product", "produkt", "produit", "produto",
    "prodotto", "project", "proveedor", "region", "room", "route", "seller", "sensor", "session",
    "shop", "staff", "station", "stop", "store", "student", "supplier", "team", "tel", "type",
    "user", "vehicle", "vendor", "warehouse", "zip", "клиент", "товар", "поставщик", "客户", "客戶",
    "顧客", "商品", "店舗", "고객", "상품",
)  # fmt: skip


def key_name(column: str, *, about: str = "") -> KeyName:
    """What a column's name says; ``about`` is the name of the file, such as customers.csv.

    In a file of customers, ``customer_id`` is the key.
    """
    name = plain_name(column)
    if name in KEY:
        return KeyName.KEY
    subject = _subject(name)
    if subject is None:
        return KeyName.SILENT
    if not subject:
        return KeyName.LIKE_A_KEY if name in ID_WORDS else KeyName.NUMBER
    is_others = any(word.startswith(OTHERS) for word in subject.split())
    if _is_about(subject, about, only=is_others):
        return KeyName.KEY
    return KeyName.OF_OTHERS if is_others else KeyName.LIKE_A_KEY


def _subject(name: str) -> str | None:
    """What a name is the key or number of; None if it is that of neither."""
    words = name.split()
    known = ID_WORDS | NUMBER_WORDS
    for place in (-1, 0):
        if words and words[place] in known:
            del words[place]
            return " ".join(words)
    for ending in ENDINGS:
        if words and words[-1].endswith(ending):
            return " ".join([*words[:-1], words[-1].removesuffix(ending)]).strip()
    # "customerid", but not "paid".
    if words and words[-1].endswith("id") and words[-1].removesuffix("id").startswith(OTHERS):
        return name.removesuffix("id")
    return None


def _is_about(subject: str, about: str, *, only: bool) -> bool:
    """Whether a file name has the word of a subject, in the singular or plural.

    ``only``: and no other, as customer_orders.csv is about orders.
    """
    words = [word for word in plain_name(about.split(".")[0]).split() if not word.isdigit()]
    stem = subject.removesuffix("s").removesuffix("ie").removesuffix("y")
    forms = {stem + end for end in ("", "s", "es", "y", "ies", "n", "en")}
    return len(stem) > 2 and bool(forms & set(words)) and not (only and len(words) > 1)
