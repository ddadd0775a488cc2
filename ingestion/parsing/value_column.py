"""Proposes the value column: by what columns hold, names break ties. Pure: no Django, no tables."""

from collections.abc import Mapping, Sequence

from records.number_styles import NumberColumn, Numbers

# Names of values, in order of preference.
NAMES = (
    "value", "amount", "total", "total amount", "sales", "revenue", "price", "cost", "sum",
    "reading", "measurement", "score", "quantity", "count", "duration", "minutes",
)  # fmt: skip
# Words of values as part of a name, in large languages.
WORDS = frozenset((
    "value", "amount", "total", "price", "cost", "revenue", "minutes", "score", "gross", "net",
    "sales", "payment", "betrag", "umsatz", "preis", "wert", "summe", "brutto", "netto",
    "kosten", "menge", "montant", "prix", "valeur", "somme", "brut", "importe", "precio",
    "valor", "cantidad", "monto", "importo", "prezzo", "valore", "totale", "bedrag", "prijs",
    "waarde", "totaal", "kwota", "cena", "suma", "belopp", "summa", "pris", "tutar", "fiyat",
    "\u0441\u0443\u043c\u043c\u0430", "\u0446\u0435\u043d\u0430",  # Russian
    "\u91d1\u989d", "\u91d1\u984d", "\u4ef7\u683c", "\u4fa1\u683c",
    "\u5408\u8a08",  # Chinese, Japanese
))  # fmt: skip
# Words of what is written in digits and is no measure, or is one that adds up to nothing.
OTHERS = frozenset((
    "id", "ids", "no", "nr", "num", "number", "code", "zip", "plz", "postcode", "postal",
    "phone", "telefon", "tel", "fax", "year", "jahr", "month", "day", "hour", "key", "iban",
    "bic", "account", "konto", "kontonummer", "lat", "lon", "lng", "latitude", "longitude",
    "isbn", "ean", "sku", "balance", "saldo", "kontostand", "solde", "stand", "version", "line",
    "row", "index", "rank", "position", "sequence",
))  # fmt: skip
# So many of the filled cells have to be numbers: fewer where the name says that they are.
BY_CELLS, BY_NAME = 0.95, 0.5
# How many columns are looked at, and how many of those whose names are those of values.
TRIED_COLUMNS = 200


def propose_value(
    columns: Sequence[str], names: Mapping[str, str], cells: Mapping[str, Sequence[str]]
) -> list[str]:
    """The column that most probably holds the values: money first, then numbers with decimals.

    ``names`` are the plain names of columns. Whole numbers may count, number or order anything, so
    their name has to say that they are values.
    """
    named = [column for column in columns if _by_name(names[column]) > 0][:TRIED_COLUMNS]
    tried = {*columns[:TRIED_COLUMNS], *named}
    scores = {
        column: _score(names[column], cells[column], place)
        for place, column in enumerate(columns)
        if column in tried
    }
    best = max(scores, key=lambda column: scores[column], default="")
    return [best] if best and scores[best] > 0 else []


def _score(name: str, cells: Sequence[str], place: int) -> float:
    """How well a column does as the value; 0 or less if it does not."""
    by_name = _by_name(name)
    column = NumberColumn(always=True)
    column.add(cells)
    found = column.found()
    least = BY_NAME if by_name > 0 else BY_CELLS
    if not found.filled or found.read < found.filled * least:
        return 0.0
    content = _by_content(found)
    if found.is_code or (by_name <= 0 and (content <= 0 or len(set(cells)) == 1)):
        return 0.0
    # The first of equals; a column that is mostly empty is none of the main ones.
    filled = found.filled / max(len(cells), 1)
    return content + by_name + 4 * filled - place / 1_000


def _by_name(name: str) -> float:
    words = set(name.split())
    if name in NAMES:
        return 15 - NAMES.index(name) / 2
    if words & OTHERS:
        return -30
    return 12 if words & WORDS else 0


def _by_content(found: Numbers) -> float:
    if found.style.percent:
        return 2
    if found.is_money:
        return 22 if found.style.currency else 18
    return 0 if found.is_whole else 12
