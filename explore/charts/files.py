"""Charts as files: SVG and PNG on a white background, and their numbers as CSV."""

import csv
import io
from typing import Any

import altair
import vl_convert

from explore.charts.chart import Chart
from web.spreadsheets import guarded

CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv; charset=utf-8"}
WIDTH = 720
# Points of the drawing in a pixel of a screen.
SCALE = 2
VERSION = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
# The colours of the light scheme of app.css.
BAR, FAILED = "#5362d6", "#d8505a"
STATUS_COLOURS = ["#35a27a", FAILED, "#d49a2f"]


def file_of(chart: Chart, kind: str) -> bytes:
    """The chart as "svg", "png" or "csv"."""
    if kind == "csv":
        return _csv(chart).encode()
    spec, config = _on_paper(chart), _config(chart)
    # Nothing is loaded from anywhere, whatever a text out of a file says.
    if kind == "svg":
        drawing: str = vl_convert.vegalite_to_svg(
            spec, vl_version=VERSION, config=config, allowed_base_urls=[]
        )
        return drawing.encode()
    picture: bytes = vl_convert.vegalite_to_png(
        spec, vl_version=VERSION, config=config, allowed_base_urls=[], scale=SCALE
    )
    return picture


def _csv(chart: Chart) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in (chart.headings, *chart.numbers):
        cells = enumerate(row)
        writer.writerow(
            [guarded(c, opens_line=n == 0) if isinstance(c, str) else c for n, c in cells]
        )
    return out.getvalue()


def _on_paper(chart: Chart) -> dict[str, Any]:
    """The spec with a title and a width of its own, and without links, which lead to a page."""
    title = f"{chart.title} ({chart.scope})" if chart.scope else chart.title
    spec = {**chart.spec, "width": WIDTH, "title": title}
    for part in ("encoding", "layer"):
        if part == "encoding" and part in spec:
            spec[part] = {k: v for k, v in spec[part].items() if k != "href"}
        elif part in spec:
            spec[part] = [
                {**layer, "encoding": {k: v for k, v in layer["encoding"].items() if k != "href"}}
                for layer in spec[part]
            ]
    return spec


def _config(chart: Chart) -> dict[str, Any]:
    bar = FAILED if chart.palette == "failed" else BAR
    return {
        "background": "white",
        "padding": 16,
        "view": {"stroke": None},
        "bar": {"color": bar},
        "rect": {"color": bar, "stroke": "white", "strokeWidth": 1},
        "range": {"category": STATUS_COLOURS},
        "style": {
            "band": {"color": bar, "opacity": 0.2},
            "median": {"color": bar, "strokeWidth": 2},
            "median-point": {"color": bar, "filled": True, "size": 24, "opacity": 1},
            "anomaly": {
                "color": FAILED,
                "filled": True,
                "shape": "diamond",
                "size": 90,
                "opacity": 1,
            },
        },
        "title": {"anchor": "start", "fontSize": 15, "offset": 12},
    }
