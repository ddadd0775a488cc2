"""Temperatures from a machine hall. All in one unit, so that their distribution can be read."""

from datetime import UTC, date, datetime, time, timedelta
from math import cos, exp, tau
from typing import NamedTuple

import numpy as np

from ingestion.samples.faults import Habits, Sample, untidy

NAME = "sensors"
DAYS = 50
STEPS = 1_200  # readings of each sensor
HOURS_TO_WARM_UP = 2.5
UNIT = "°C"


class Sensor(NamedTuple):
    """A sensor, how far work warms it (kelvin), and how much it drifts in a day."""

    name: str
    machine: str
    type: str
    rise: float
    drift: float = 0.0


SENSORS = (
    Sensor("T-101", "press-1", "motor", 38),
    Sensor("T-102", "press-1", "bearing", 27),
    Sensor("T-103", "press-1", "oil", 21),
    Sensor("T-201", "press-2", "motor", 40),
    Sensor("T-202", "press-2", "bearing", 28),
    Sensor("T-203", "press-2", "oil", 22),
    Sensor("T-301", "mill-1", "motor", 45),
    Sensor("T-302", "mill-1", "bearing", 30, drift=0.14),
    Sensor("T-303", "mill-1", "coolant", 9),
    Sensor("T-901", "hall", "air", 0),
)

# The story of the period, in days from its start. A bearing runs hot until its machine stops ...
HOT_BEARING = "T-202"
HOT = (33.30, 33.65)
DOWN_MACHINE = "press-2"
DOWN = (33.65, 34.80)
# ... and one sensor repeats itself for most of a day.
STUCK_SENSOR = "T-303"
STUCK = (17.2, 18.0)


class Reading(NamedTuple):
    reading_id: str
    timestamp: str
    machine: str
    sensor: str
    type: str
    value: str
    unit: str
    status: str


def sample(*, until: date, scale: float, seed: int) -> Sample:
    """The readings of the 50 days before ``until``, in the order in which they were taken."""
    rng = np.random.default_rng([seed, 2])
    return untidy(
        name=NAME,
        columns=Reading._fields,
        rows=_readings(until=until, steps=round(STEPS * scale), rng=rng),
        habits=Habits(
            with_value=lambda reading, value: reading._replace(value=value, status="fault"),
            unreadable=("ERR", "-", "NaN", "#OVER"),
            corrected=lambda reading: reading._replace(
                value=f"{float(reading.value) - 1.5:.1f}", status="recalibrated"
            ),
            with_comma=lambda reading: reading._replace(value=reading.value.replace(".", ",")),
            with_latin1=lambda reading: reading,  # its unit has such a sign
            typed=False,
        ),
        rng=rng,
    )


def _readings(*, until: date, steps: int, rng: np.random.Generator) -> list[Reading]:
    start = datetime.combine(until, time(), UTC) - timedelta(days=DAYS)
    interval = timedelta(days=DAYS) / steps
    warming = 1 - exp(-(interval / timedelta(hours=1)) / HOURS_TO_WARM_UP)
    rises = np.array([sensor.rise for sensor in SENSORS])
    drifts = np.array([sensor.drift for sensor in SENSORS])
    stoppable = np.array([sensor.machine == DOWN_MACHINE for sensor in SENSORS])
    warmth = np.zeros(len(SENSORS))  # 0 cold, 1 as warm as work makes it
    stuck_at: float | None = None
    readings: list[Reading] = []
    for step in range(steps):
        moment = start + step * interval
        day = (moment - start) / timedelta(days=1)
        down = DOWN[0] <= day < DOWN[1]
        work = _work(moment) * np.where(stoppable & down, 0.0, 1.0)
        warmth += (work - warmth) * warming
        noise = rng.normal(0, 0.5, len(SENSORS)) * (1 + warmth)
        peaks = np.where(rng.random(len(SENSORS)) < 0.0008, rng.uniform(18, 35, len(SENSORS)), 0)
        values = _air(moment) + rises * warmth + drifts * day + noise + peaks
        for number, sensor in enumerate(SENSORS):
            if down and sensor.machine == DOWN_MACHINE:
                continue
            value = float(values[number])
            if sensor.name == HOT_BEARING and HOT[0] <= day < HOT[1]:
                value += 45 * (day - HOT[0]) / (HOT[1] - HOT[0])
            if sensor.name == STUCK_SENSOR:
                stuck_at = (stuck_at or value) if STUCK[0] <= day < STUCK[1] else None
                value = stuck_at or value
            # The sensors are asked one after the other.
            seconds = (number + rng.random() * 0.9) * 4
            readings.append(
                Reading(
                    reading_id=f"R{len(readings) + 1:07d}",
                    timestamp=f"{moment + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}",
                    machine=sensor.machine,
                    sensor=sensor.name,
                    type=sensor.type,
                    value=f"{value:.1f}",
                    unit=UNIT,
                    status=_status(value, sensor),
                )
            )
    return readings


def _work(moment: datetime) -> float:
    """How hard the machines work: two shifts on weekdays, a short one on Saturdays."""
    hour = moment.hour + moment.minute / 60
    if moment.weekday() < 5:
        return 1.0 if 6 <= hour < 22 else 0.0
    return 0.7 if moment.weekday() == 5 and 6 <= hour < 14 else 0.0


def _air(moment: datetime) -> float:
    """The temperature of the hall: coolest before dawn, and a slow swing of the weather."""
    hour = moment.hour + moment.minute / 60
    return 19 - 2.5 * cos(tau * (hour - 4) / 24) + 1.5 * cos(tau * moment.toordinal() / 17)


def _status(value: float, sensor: Sensor) -> str:
    above = value - (24 + sensor.rise)
    return "alarm" if above > 14 else "warning" if above > 6 else "ok"
