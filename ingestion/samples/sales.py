"""A year of sales of a small chain of coffee and tea shops."""

from datetime import date, datetime, time, timedelta
from math import cos, tau
from typing import NamedTuple

import numpy as np

from ingestion.samples.chance import any_of, weighted
from ingestion.samples.faults import Habits, Sample, untidy

NAME = "sales"
ROWS = 9_000
DAYS = 365
FIRST_ORDER = 20_417

STORES = {"Marktplatz": 0.34, "Bahnhof": 0.28, "Harbour": 0.22, "Südstadt": 0.16}
STATION = "Bahnhof"  # the one store that opens on Sundays
PAYMENTS = {"card": 0.56, "cash": 0.24, "phone": 0.17, "voucher": 0.03}

# Price in cents and how many of it people buy at most, by product line and item.
ITEMS: dict[str, dict[str, tuple[int, int]]] = {
    "coffee": {
        "Espresso beans 1 kg": (2190, 3),
        "Espresso beans 250 g": (690, 4),
        "Filter coffee 500 g": (990, 4),
        "Café crème 1 kg": (1890, 3),
        "Decaf 500 g": (1150, 2),
    },
    "tea": {
        "Darjeeling 100 g": (840, 4),
        "Earl Grey 100 g": (690, 4),
        "Grüner Tee 100 g": (750, 3),
        "Rooibos 200 g": (580, 4),
        "Mint 50 g": (390, 6),
    },
    "chocolate": {
        "Dark 70 %": (420, 8),
        "Nougat bar": (280, 10),
        "Pralines box of 12": (1490, 4),
        "Drinking chocolate": (890, 3),
    },
    "cold drinks": {
        "Cold brew": (450, 6),
        "Iced tea": (380, 6),
        "Lemonade": (350, 8),
    },
    "kitchenware": {
        "French press": (3490, 2),
        "Moka pot": (2750, 2),
        "Teapot 1 l": (4400, 1),
        "Hand grinder": (7900, 1),
        "Gooseneck kettle": (8900, 1),
    },
    "gifts": {
        "Gift box small": (2900, 5),
        "Gift box large": (5900, 4),
        "Advent calendar": (3900, 3),
    },
}

NOTES = (
    "Please wrap it, it is a present",
    'Name on the card: "Mia & Jonas"',
    "Für Oma Käthe, bitte nicht zu süß",
    "Grind it for a moka pot",
    "side entrance\nring twice",
    "🎁 gift, no bill inside",
    "best coffee in town ☕👍",
    "Mahlgrad: fein",
    "<3 you guys",
    "=) as always",
    "Leave it at number 12, thanks",
    "Bitte klingeln bei Müller,\n2. Stock links",
    'He said "the usual", whatever that is',
    "Merci beaucoup, à bientôt !",
    "no bag",
)


class Sale(NamedTuple):
    order_id: str
    ordered_at: str
    store: str
    category: str
    item: str
    quantity: str
    unit_price: str
    amount: str
    payment: str
    customer_note: str


def sample(*, until: date, scale: float, seed: int) -> Sample:
    """The sales of the 365 days before ``until``, in the order in which they happened."""
    rng = np.random.default_rng([seed, 1])
    return untidy(
        name=NAME,
        columns=Sale._fields,
        rows=_sales(until=until, count=round(ROWS * scale), rng=rng),
        habits=Habits(
            with_value=lambda sale, value: sale._replace(amount=value),
            unreadable=("n/a", "12,5 kg", "43.80 EUR", "see invoice", "?"),
            corrected=_one_more,
            with_comma=lambda sale: sale._replace(customer_note="Leave it at the door, thanks"),
            with_latin1=lambda sale: sale._replace(customer_note="schöne Grüße"),
            typed=True,
        ),
        rng=rng,
    )


def demand(day: date, *, first: date) -> float:
    """How much is bought on a day, as a factor: week, season, growth, feasts and closed days."""
    if (day.month, day.day) in {(1, 1), (12, 25), (12, 26)}:
        return 0.0
    weekday = (0.85, 0.8, 0.9, 1.0, 1.25, 1.6, 0.35)[day.weekday()]
    season = 1 + 0.2 * _winter(day)
    growth = 1 + 0.3 * (day - first).days / DAYS
    return weekday * season * growth * _feast(day)


def _winter(day: date) -> float:
    """1 in the middle of December, -1 in the middle of June."""
    return cos(tau * (day.timetuple().tm_yday - 350) / 365)


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 22)


def _feast(day: date) -> float:
    since_black_friday = (day - black_friday(day.year)).days
    if 0 <= since_black_friday <= 3:
        return (3.4, 2.2, 1.8, 1.9)[since_black_friday]
    if day.month == 12 and day.day <= 24:
        return 1.2 + day.day / 20
    if (day.month, day.day) in {(2, 13), (2, 14)}:
        return 1.6
    return 1.0


def _taste(day: date) -> dict[str, float]:
    """The share of each product line on a day."""
    winter = _winter(day)
    advent = (day.month == 11 and day.day > 15) or (day.month == 12 and day.day <= 24)
    weights = {
        "coffee": 0.36,
        "tea": 0.2 * (1 + 0.45 * winter),
        "chocolate": 0.17 * (1 + 0.3 * winter),
        "cold drinks": 0.13 * (1 - 0.9 * winter),
        "kitchenware": 0.11 * (2.2 if _feast(day) > 1.7 else 1),
        "gifts": 0.17 if advent else 0.03,
    }
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _sales(*, until: date, count: int, rng: np.random.Generator) -> list[Sale]:
    first = until - timedelta(days=DAYS)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    demands = np.array([demand(day, first=first) for day in days])
    sales: list[Sale] = []
    for day, orders in zip(days, rng.multinomial(count, demands / demands.sum()), strict=True):
        taste = _taste(day)
        lines = rng.choice(list(taste), int(orders), p=list(taste.values()))
        for second, line in zip(_seconds(int(orders), rng), lines, strict=True):
            moment = datetime.combine(day, time()) + timedelta(seconds=second)
            order_id = f"{FIRST_ORDER + len(sales):07d}"
            sales.append(_sale(order_id, moment, str(line), rng))
    for index in rng.choice(count, max(3, round(count * 0.0008)), replace=False):
        sales[index] = _company_order(sales[index], rng)
    return sales


def _seconds(count: int, rng: np.random.Generator) -> list[int]:
    """Seconds of the day at which people buy: around noon and after work, 8:00 to 20:00."""
    hours = np.where(
        rng.random(count) < 0.45, rng.normal(12.0, 1.4, count), rng.normal(17.0, 1.5, count)
    )
    return sorted(int(hour * 3600) for hour in np.clip(hours, 8, 19.999))


def _sale(order_id: str, moment: datetime, line: str, rng: np.random.Generator) -> Sale:
    items = ITEMS[line]
    item = any_of(list(items), rng)
    price, most = items[item]
    if 0 <= (moment.date() - black_friday(moment.year)).days <= 3 and line == "kitchenware":
        price = round(price * 0.8)
    quantity = min(int(rng.geometric(0.55)), most)
    note = any_of(NOTES, rng) if rng.random() < 0.12 else ""
    if rng.random() < 0.004:
        quantity, note = -1, "returned"
    store = STATION if moment.weekday() == 6 else weighted(STORES, rng)
    return Sale(
        order_id=order_id,
        ordered_at=moment.isoformat(),
        store=store,
        category=_as_typed(line.capitalize(), rng),
        item=item,
        quantity=str(quantity),
        unit_price=_money(price),
        amount=_money(quantity * price),
        payment=weighted(PAYMENTS, rng),
        customer_note=note,
    )


def _company_order(sale: Sale, rng: np.random.Generator) -> Sale:
    """An outlier: what a company orders for all of its people."""
    quantity = int(rng.integers(60, 240))
    return sale._replace(
        category="Gifts",
        item="Gift box small",
        quantity=str(quantity),
        unit_price=_money(2900),
        amount=_money(quantity * 2900),
        payment="invoice",
        customer_note='Company order, deliver to "Halle 4"',
    )


def _one_more(sale: Sale) -> Sale:
    quantity = int(sale.quantity) + 1 or 1
    cents = round(float(sale.unit_price) * 100)
    return sale._replace(quantity=str(quantity), amount=_money(quantity * cents))


def _as_typed(text: str, rng: np.random.Generator) -> str:
    """Most people type it as it should be; some do not."""
    ways = (text.lower(), text.upper(), f" {text}", f"{text} ", f"  {text.lower()} ")
    return any_of(ways, rng) if rng.random() < 0.07 else text


def _money(cents: int) -> str:
    return f"{cents / 100:.2f}"
