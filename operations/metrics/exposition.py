"""Writes metrics in the text format of Prometheus (version 0.0.4)."""

from collections.abc import Iterable
from itertools import groupby

from operations.metrics.catalogue import METRICS
from operations.metrics.readings import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def written(samples: Iterable[Sample]) -> str:
    """The samples, those of a metric together and in the order of the catalogue."""
    order = {name: place for place, name in enumerate(METRICS)}
    lines: list[str] = []
    by_name = sorted(samples, key=lambda sample: order[sample.name])
    for name, of_metric in groupby(by_name, lambda sample: sample.name):
        metric = METRICS[name]
        lines += [f"# HELP {name} {_escaped(metric.meaning)}", f"# TYPE {name} {metric.kind}"]
        lines += [_line(sample, metric.labels) for sample in of_metric]
    return "\n".join(lines) + "\n"


def _line(sample: Sample, labels: tuple[str, ...]) -> str:
    pairs = [
        f'{label}="{_quoted(value)}"' for label, value in zip(labels, sample.labels, strict=True)
    ]
    return f"{sample.name}{'{' + ','.join(pairs) + '}' if pairs else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
