"use strict";
// Keeps an answer from replacing a field in which somebody is typing: what is typed is sent when
// it is finished, and the answer to that shows everything.

(() => {
  // The form whose answer was put off, until another one is asked for.
  let owed = null;

  function isTyped(field, request) {
    const sent = request.formData?.get(field.name) ?? field.defaultValue;
    return field.value !== sent;
  }

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const field = document.activeElement;
    if (!field.matches('#settings input:not([type="hidden"])')) return;
    if (!detail.target.contains(field) || !isTyped(field, detail.requestConfig)) return;
    detail.shouldSwap = false;
    owed = field.form;
    // Typed and taken back: then no change is sent, and nobody would ask again.
    field.addEventListener("blur", () => owed && htmx.trigger(owed, "change"), { once: true });
  });

  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt === owed) owed = null;
  });
})();
