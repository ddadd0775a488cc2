// Updates pages while a run is active. They poll with an ETag and get a 304 if nothing has changed.
// Hidden pages don't poll. A part that the user is interacting with is updated later.

(() => {
  // Parts that htmx polls.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.matches("[hx-trigger^=every]")) event.preventDefault();
  });

  const live = document.getElementById("live");
  if (!live) return;
  let tag = live.dataset.tag;
  let pause = Number(live.dataset.pause);
  // The tag for which the deferred charts were loaded; whether a request for them is pending.
  let counted;
  let isCounting = false;
  let timer;

  async function partOf(url) {
    const answer = await fetch(url, { headers: { "HX-Request": "true", "If-None-Match": tag } });
    if (!answer.ok || answer.redirected) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.body.firstElementChild;
  }

  // Whether the part contains the focus or a text selection.
  function isInUse(part) {
    const marked = document.getSelection();
    const holdsMark = marked && !marked.isCollapsed && part.contains(marked.anchorNode);
    return holdsMark || part.contains(document.activeElement);
  }

  function tell(part, event) {
    part.dispatchEvent(new Event(event, { bubbles: true }));
    return true;
  }

  // Each of these returns whether the part now equals the fresh one.
  function renew(part, fresh) {
    if (part.isEqualNode(fresh)) return true;
    if (isInUse(part)) return false;
    part.replaceWith(fresh);
    return tell(fresh, "shown");
  }

  // Keeps open details open; charts.js animates the drawing.
  function renewChart(figure, fresh) {
    const spec = (chart) => chart.querySelector("script")?.textContent;
    const words = (chart) => chart.querySelector("figcaption").innerHTML;
    if (!spec(figure) || !spec(fresh)) return renew(figure, fresh);
    if (spec(figure) === spec(fresh) && words(figure) === words(fresh)) return true;
    if (isInUse(figure)) return false;
    for (const name of ["figcaption", "script", "table"]) {
      figure.querySelector(name).replaceWith(fresh.querySelector(name));
    }
    return tell(figure, "renewed");
  }

  function renewCharts(charts, fresh) {
    const figures = [...fresh.children];
    const isKept = figures.map((figure) => {
      const here = document.getElementById(figure.id);
      if (here) return renewChart(here, figure);
      charts.append(figure);
      return tell(figure, "shown");
    });
    const ids = new Set(figures.map((figure) => figure.id));
    const gone = [...charts.children].filter((figure) => !ids.has(figure.id));
    gone.filter((figure) => !isInUse(figure)).forEach((figure) => figure.remove());
    return isKept.every(Boolean) && !gone.some(isInUse);
  }

  function renewAll(fresh) {
    let isDone = true;
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const here = document.getElementById(part.id);
      if (here && !renew(here, part)) isDone = false;
    }
    for (const charts of fresh.querySelectorAll(".charts")) {
      const here = document.getElementById(charts.id);
      if (here && !renewCharts(here, charts)) isDone = false;
    }
    return isDone;
  }

  // Charts that take longer are loaded later; the first time by htmx.
  async function count(url, forTag) {
    if (isCounting || !document.getElementById("results")) return;
    isCounting = true;
    try {
      const part = await partOf(url);
      if (part && renewAll(part)) counted = forTag;
    } catch (error) {
      console.info(error);
    }
    isCounting = false;
  }

  async function look() {
    const fresh = await partOf(location.href);
    if (!fresh) return;
    if (fresh.dataset.hasRecords !== live.dataset.hasRecords) {
      if (!isInUse(live)) location.reload();
      return;
    }
    pause = Number(fresh.dataset.pause);
    let isDone = renewAll(fresh);
    const later = fresh.querySelector("#counted[hx-get]");
    if (later && counted !== fresh.dataset.tag) {
      isDone = false;
      count(later.getAttribute("hx-get"), fresh.dataset.tag);
    }
    if (isDone) tag = fresh.dataset.tag;
  }

  async function keepLooking() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await look();
    } catch (error) {
      console.info(error);
    }
    clearTimeout(timer);
    timer = setTimeout(keepLooking, pause * 1000);
  }

  document.addEventListener("visibilitychange", keepLooking);
  timer = setTimeout(keepLooking, pause * 1000);
})();
