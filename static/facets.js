"use strict";
// The counts of facets load after the page. Keeps what the user has ticked, typed or opened by then.

(() => {
  const part = () => document.getElementById("facets");
  let touched = null;

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const facets = part();
    if (!facets || detail.target !== facets) return;
    const inputs = [...facets.querySelectorAll("input")];
    touched = {
      isOpen: facets.open,
      ticked: inputs.filter((input) => input.checked !== input.defaultChecked),
      typed: inputs.filter((input) => input.type !== "checkbox" && input.value !== input.defaultValue),
      focused: inputs.find((input) => input === document.activeElement),
    };
  });

  document.addEventListener("htmx:afterSwap", () => {
    const facets = part();
    if (!touched || !facets) return;
    const { isOpen, ticked, typed, focused } = touched;
    touched = null;
    const named = (name) => [...facets.querySelectorAll("input")].filter((input) => input.name === name);
    const same = (box) => named(box.name).find((input) => input.value === box.value);
    facets.open ||= isOpen;
    for (const box of ticked) {
      const found = same(box);
      if (found) found.checked = box.checked;
      // The new part lists only the most frequent values, and this is not one of them.
      else (named(box.name)[0]?.closest("fieldset") ?? facets).append(box.closest("label"));
    }
    for (const field of typed) named(field.name)[0].value = field.value;
    if (focused?.type === "checkbox") same(focused)?.focus();
  });
})();
