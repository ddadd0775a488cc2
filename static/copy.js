"use strict";
// Copies the text of a field to the clipboard. Without this script it is selected and copied by hand.

(() => {
  async function copy(button) {
    const field = document.getElementById(button.dataset.copies);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Browsers offer the clipboard to pages over HTTPS only.
      document.execCommand("copy");
    }
    button.textContent = "Copied";
  }

  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
})();
