"""Random picks. NumPy's own ``choice`` is slow for one pick at a time."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np


def any_of(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of the options, all equally likely."""
    return options[int(rng.random() * len(options))]


def weighted(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """One of the names, by their weights."""
    bounds = list(accumulate(weights.values()))
    position = rng.random() * bounds[-1]
    return next(name for name, bound in zip(weights, bounds, strict=True) if position < bound)
