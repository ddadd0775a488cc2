"""Half a year of support tickets, in eight languages."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from ingestion.samples.chance import any_of, weighted
from ingestion.samples.faults import Habits, Sample, untidy

NAME = "tickets"
ROWS = 4_000
DAYS = 182
FIRST_TICKET = 41_800
# On one day nobody could log in.
OUTAGE_DAY = 117

CATEGORIES = {
    "login": 0.26,
    "billing": 0.24,
    "delivery": 0.22,
    "technical": 0.2,
    "feature request": 0.08,
}
# Half of the tickets of a category are resolved within so many minutes, if nothing is urgent.
MINUTES = {"login": 25, "billing": 110, "delivery": 260, "technical": 420, "feature request": 1500}
PRIORITIES = {"low": 0.3, "normal": 0.52, "high": 0.14, "urgent": 0.04}
PATIENCE = {"low": 1.9, "normal": 1.0, "high": 0.5, "urgent": 0.2}
OUTAGE_MINUTES = 190
CHANNELS = {"mail": 0.44, "web form": 0.27, "chat": 0.19, "phone": 0.1}
LANGUAGES = {
    "en": 0.42, "de": 0.2, "fr": 0.11, "es": 0.09, "pl": 0.06, "ar": 0.05, "he": 0.03, "ja": 0.04,
}  # fmt: skip
SUBJECTS = {
    "login": {
        "en": ("I can't log in", "Password reset mail never arrives", "Locked out AGAIN!!!"),
        "de": ("Anmeldung schlägt fehl", "Passwort zurücksetzen geht nicht"),
        "fr": ("Impossible de me connecter", "Mot de passe oublié"),
        "es": ("No puedo iniciar sesión", "¿Cómo cambio mi contraseña?"),
        "pl": ("Nie mogę się zalogować",),
        "ar": ("لا أستطيع تسجيل الدخول", "نسيت كلمة المرور"),
        "he": ("לא מצליח להתחבר לחשבון",),
        "ja": ("ログインできません",),
    },
    "billing": {
        "en": ("Charged twice for order 20731", "Invoice has the wrong address", "Refund, please"),
        "de": ("Rechnung doppelt erhalten", "Frage zur Mahnung, dringend"),
        "fr": ("Facture en double", "Où est mon remboursement ?"),
        "es": ("Me han cobrado dos veces",),
        "pl": ("Proszę o fakturę VAT",),
        "ar": ("تم خصم المبلغ مرتين من بطاقتي", "أحتاج إلى فاتورة رقم 20731"),
        "he": ("חויבתי פעמיים על הזמנה 20731",),
        "ja": ("請求書の宛名を変更したい",),
    },
    "delivery": {
        "en": ("Parcel not here yet", 'Tracking says "delivered", but it is not', "Wrong item 😕"),
        "de": ("Paket beschädigt, was nun?", "Wo bleibt meine Lieferung?"),
        "fr": ("Colis jamais reçu", "Livraison à la mauvaise adresse"),
        "es": ("El paquete llegó roto",),
        "pl": ("Gdzie jest moja paczka?",),
        "ar": ("لم تصل الشحنة بعد",),
        "he": ("החבילה לא הגיעה",),
        "ja": ("荷物が届きません",),
    },
    "technical": {
        "en": ("App crashes on start", "Export shows <b>tags</b> in names", "Error 500 on upload"),
        "de": ("App stürzt beim Öffnen ab", "Umlaute im Export kaputt: MÃ¼ller"),
        "fr": ("L'application ne répond plus",),
        "es": ("La página no carga en el móvil",),
        "pl": ("Błąd przy zapisie pliku",),
        "ar": ("التطبيق يتوقف عند الفتح (Android 14)",),
        "he": ("שגיאה 500 בהעלאת קובץ",),
        "ja": ("アプリが起動しない",),
    },
    "feature request": {
        "en": ("Dark mode, please 🙏", "Could I have a weekly summary?"),
        "de": ("Wunsch: Dunkelmodus", "Bitte Export nach Excel"),
        "fr": ("Un mode sombre, s'il vous plaît",),
        "es": ("Sería útil un modo oscuro",),
        "pl": ("Prośba o ciemny motyw",),
        "ar": ("نرجو إضافة الوضع الداكن",),
        "he": ("בקשה: מצב כהה",),
        "ja": ("ダークモードの要望",),
    },
}


class Ticket(NamedTuple):
    ticket_id: str
    created: str
    category: str
    priority: str
    channel: str
    # Named so that it is found by its name to be the value.
    total_minutes: str
    satisfaction: str
    language: str
    subject: str


def sample(*, until: date, scale: float, seed: int) -> Sample:
    """The tickets of the 182 days before ``until``, in the order in which they came."""
    rng = np.random.default_rng([seed, 3])
    return untidy(
        name=NAME,
        columns=Ticket._fields,
        rows=_tickets(until=until, count=round(ROWS * scale), rng=rng),
        habits=Habits(
            with_value=lambda ticket, value: ticket._replace(total_minutes=value),
            unreadable=("n/a", "2 h", "approx. 30", "unknown", "1,5 days"),
            corrected=lambda ticket: ticket._replace(
                priority="low" if ticket.priority == "normal" else "normal"
            ),
            with_comma=lambda ticket: ticket._replace(
                language="en", subject="Hello there, I have a question"
            ),
            with_latin1=lambda ticket: ticket._replace(language="de", subject="Rückfrage"),
            typed=True,
        ),
        rng=rng,
    )


def _tickets(*, until: date, count: int, rng: np.random.Generator) -> list[Ticket]:
    first = until - timedelta(days=DAYS)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    end = datetime.combine(until, time())
    loads = np.array([_load(number, day) for number, day in enumerate(days)])
    tickets: list[Ticket] = []
    for number, arrivals in enumerate(rng.multinomial(count, loads / loads.sum())):
        for second in _seconds(int(arrivals), rng):
            moment = datetime.combine(days[number], time()) + timedelta(seconds=second)
            outage = number == OUTAGE_DAY and rng.random() < 0.85
            ticket_id = f"T-{FIRST_TICKET + len(tickets):06d}"
            tickets.append(_ticket(ticket_id, moment, end=end, outage=outage, rng=rng))
    return tickets


def _load(number: int, day: date) -> float:
    """How many tickets come on a day, as a factor: week, growth, the Monday after, the outage."""
    weekday = (1.35, 1.1, 1.0, 1.0, 0.9, 0.35, 0.3)[day.weekday()]
    return weekday * (1 + 0.25 * number / DAYS) + (6.0 if number == OUTAGE_DAY else 0.0)


def _seconds(count: int, rng: np.random.Generator) -> list[int]:
    """Seconds of the day: most in office hours, some at night."""
    hours = np.where(rng.random(count) < 0.85, rng.normal(13, 3, count), rng.uniform(0, 24, count))
    return sorted(int(hour * 3600) for hour in np.clip(hours, 0, 23.999))


def _ticket(
    ticket_id: str, moment: datetime, *, end: datetime, outage: bool, rng: np.random.Generator
) -> Ticket:
    category = "login" if outage else weighted(CATEGORIES, rng)
    priority = weighted(PRIORITIES, rng)
    language = weighted(LANGUAGES, rng)
    median = OUTAGE_MINUTES if outage else MINUTES[category] * PATIENCE[priority]
    # Only what is resolved by the end of the period is in the file.
    left = int((end - moment).total_seconds() // 60)
    minutes = min(max(1, round(float(rng.lognormal(np.log(median), 0.8)))), max(1, left))
    return Ticket(
        ticket_id=ticket_id,
        created=f"{moment:%Y-%m-%d %H:%M:%S}",
        category=_as_typed(category, rng),
        priority=priority,
        channel=weighted(CHANNELS, rng),
        total_minutes=str(minutes),
        satisfaction=_satisfaction(minutes / MINUTES[category], rng),
        language=language,
        subject=any_of(SUBJECTS[category][language], rng),
    )


def _satisfaction(slowness: float, rng: np.random.Generator) -> str:
    """1 to 5, lower for who waited longer than usual; most do not answer."""
    if rng.random() < 0.55:
        return ""
    stars = rng.normal(4.1 - 0.8 * np.log2(max(slowness, 0.25)) / 2, 0.9)
    return str(int(np.clip(round(float(stars)), 1, 5)))


def _as_typed(text: str, rng: np.random.Generator) -> str:
    """Agents choose from a list, except for those who type it on their phone."""
    return f"{text.capitalize()} " if rng.random() < 0.02 else text
