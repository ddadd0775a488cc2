"""Figures as people read them."""

from explore.questions.figures import Figure
from explore.questions.question import Measure
from web.numbers import number, percent


def figure_text(measure: Measure, figure: Figure) -> str:
    """A figure: 1,234.57, or 12.5% of a share."""
    if measure.function == "share" and figure is not None:
        return percent(figure * 100)
    return number(figure)
