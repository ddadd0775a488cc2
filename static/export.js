"use strict";
// Shows the progress of an export and lets the user cancel it. Without this script the browser
// downloads the file as usual.

(() => {
  // Larger exports would need too much memory in the page.
  const MOST = 1_000_000;
  const PATIENCE = 400;
  const LINE_END = 10;

  function nameOf(answer) {
    const said = answer.headers.get("Content-Disposition") || "";
    const encoded = said.match(/filename\*=utf-8''([^;]+)/i);
    return encoded ? decodeURIComponent(encoded[1]) : said.match(/filename="([^"]+)"/)[1];
  }

  function save(parts, answer) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts));
    link.download = nameOf(answer);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // The chunks of the file; `told` is called with the number of lines received so far.
  async function pieces(answer, told) {
    const parts = [];
    let lines = 0;
    for (const reader = answer.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return parts;
      parts.push(value);
      for (const byte of value) lines += byte === LINE_END;
      told(lines);
    }
  }

  async function download(link) {
    const box = link.closest(".panel").querySelector(".exporting");
    const bar = box.querySelector("progress");
    const text = box.querySelector("span");
    const stop = new AbortController();
    box.querySelector("button").onclick = () => stop.abort();
    bar.removeAttribute("value");
    text.textContent = "Exporting";
    const shown = setTimeout(() => (box.hidden = false), PATIENCE);
    try {
      const answer = await fetch(link.href, { signal: stop.signal });
      const total = Number(answer.headers.get("X-Total-Records"));
      if (!answer.ok || answer.redirected || total > MOST) {
        stop.abort();
        window.location.assign(link.href);
        return;
      }
      const isOfLines = /csv|ndjson/.test(answer.headers.get("Content-Type"));
      const parts = await pieces(answer, (lines) => {
        if (!isOfLines || !total) return;
        const done = Math.min(lines, total);
        bar.value = done / total;
        text.textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} records`;
      });
      save(parts, answer);
    } catch (error) {
      if (error.name !== "AbortError") window.location.assign(link.href);
    } finally {
      clearTimeout(shown);
      box.hidden = true;
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-export]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    download(link);
  });
})();
