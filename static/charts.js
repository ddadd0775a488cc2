"use strict";
// Draws the figures of a page from the specs beside them. A figure that can't be drawn keeps the
// table of its numbers open. Colours and fonts come from the stylesheet.

(() => {
  const drawn = new Map();
  // Pixels; less is a click.
  const LEAST_DRAG = 6;
  const COLOURS = {
    status: ["chart-processed", "chart-failed", "chart-waiting"],
    groups: ["chart-1", "chart-processed", "chart-waiting", "chart-4", "chart-5", "chart-6"],
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function config(palette, width) {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(`--${name}`).trim();
    const bar = palette === "failed" ? token("chart-failed") : token("chart-1");
    return {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      line: { color: token("ink-2"), strokeWidth: 1.5 },
      point: { color: token("ink-2"), size: 28, filled: true },
      bar: { color: bar, cornerRadiusEnd: palette === "status" ? 0 : 2 },
      rect: { color: bar, stroke: token("surface"), strokeWidth: 1 },
      range: { category: COLOURS[palette === "groups" ? palette : "status"].map(token) },
      style: {
        band: { color: bar, opacity: 0.22 },
        median: { color: bar, strokeWidth: 2 },
        "median-point": { color: bar, filled: true, size: 30, opacity: 1 },
        anomaly: { color: token("chart-failed"), filled: true, shape: "diamond", size: 90, opacity: 1 },
      },
      axis: {
        labelColor: token("ink-2"),
        titleColor: token("ink-2"),
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: 500,
        titlePadding: 10,
        gridColor: token("line"),
        domainColor: token("line"),
        tickColor: token("line"),
      },
      legend: {
        labelColor: token("ink"),
        labelFontSize: 12,
        symbolType: "square",
        symbolSize: 90,
        symbolStrokeWidth: 0,
        columns: width < 320 ? 2 : 3,
        offset: 12,
      },
    };
  }

  // A drag along an axis of time picks a range; it leads to the page of that range.
  function pickable(spec) {
    const params = [{ name: "picked", select: { type: "interval", encodings: ["x"] } }];
    return spec.layer
      ? { ...spec, layer: [{ ...spec.layer[0], params }, ...spec.layer.slice(1)] }
      : { ...spec, params };
  }

  function leadOn(figure) {
    figure.addEventListener("pointerdown", () => {
      window.addEventListener("pointerup", () => {
        const { view } = drawn.get(figure);
        const edges = [...(view.signal("picked_x") ?? [])].sort((a, b) => a - b);
        if (!edges.length || edges[1] - edges[0] < LEAST_DRAG) return;
        // Weeks are drawn so many days earlier.
        const shift = Number(figure.dataset.shift ?? 0) * 86_400_000;
        const [start, end] = edges.map((x) => new Date(view.scale("x").invert(x).getTime() + shift).toISOString());
        const url = new URL(figure.dataset.zoomTo, location);
        const isHour = figure.dataset.zoom === "hour";
        url.searchParams.set(isHour ? "time_from" : "from", isHour ? `${start.slice(0, 16)}Z` : start.slice(0, 10));
        url.searchParams.set(isHour ? "time_to" : "to", isHour ? `${end.slice(0, 16)}Z` : end.slice(0, 10));
        location.assign(url);
      }, { once: true });
    });
  }

  function specOf(figure) {
    return JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  }

  async function draw(figure) {
    const given = specOf(figure);
    const spec = figure.dataset.zoom ? pickable(given) : given;
    const drawing = figure.querySelector(".drawing");
    drawing.hidden = false;
    let view;
    try {
      drawn.get(figure)?.finalize();
      view = await window.vegaEmbed(drawing, spec, {
        mode: "vega-lite",
        actions: false,
        // The interpreter of expressions, as the page allows no eval.
        ast: true,
        renderer: "svg",
        // No style elements of its own: app.css styles the drawing and its tooltip.
        defaultStyle: false,
        tooltip: { disableDefaultStyle: true },
        config: config(figure.dataset.palette, drawing.clientWidth),
      });
    } catch (error) {
      drawing.hidden = true;
      console.error(error);
      return;
    }
    // The trace of a drag has no words for those who do not see it.
    drawing.querySelectorAll('[class*="picked_brush"]').forEach((trace) => trace.setAttribute("aria-hidden", "true"));
    const details = figure.querySelector("details");
    if (!drawn.has(figure)) {
      if (details) details.open = false;
      if (figure.dataset.zoom) leadOn(figure);
    }
    drawn.set(figure, { ...view, layout: layoutOf(given) });
  }

  const layoutOf = (spec) => JSON.stringify({ ...spec, data: null });

  // Other numbers move the marks where they are; another layout is drawn anew.
  function drawAgain(figure) {
    const former = drawn.get(figure);
    const spec = specOf(figure);
    if (former?.layout !== layoutOf(spec)) return draw(figure);
    const rows = spec.data.values.map((row) => (row.date ? { ...row, date: Date.parse(row.date) } : row));
    return former.view.data("rows", rows).runAsync();
  }

  const figures = () => [...document.querySelectorAll("[data-chart]:has(.drawing)")];

  function drawAll() {
    figures().forEach(draw);
  }

  if (window.vegaEmbed) {
    drawAll();
    // Charts that htmx has put on the page since.
    document.addEventListener("htmx:afterSwap", () =>
      figures().filter((figure) => !drawn.has(figure)).forEach(draw));
    document.addEventListener("renewed", (event) => drawAgain(event.target));
    document.addEventListener("shown", (event) => {
      if (event.target.querySelector(".drawing")) draw(event.target);
    });
    dark.addEventListener("change", drawAll);
  }
})();
