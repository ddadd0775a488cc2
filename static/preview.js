"use strict";
// Keeps a response from replacing a field while the user is typing in it: the text is sent when it
// is finished, and the response to that shows everything.

(() => {
  // The form whose response was skipped, until another one is requested.
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
    // If the text was typed and reverted, no change event would trigger a request.
    field.addEventListener("blur", () => owed && htmx.trigger(owed, "change"), { once: true });
  });

  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt === owed) owed = null;
  });
})();
