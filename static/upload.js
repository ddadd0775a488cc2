"use strict";
// Shows the chosen file and the progress of the upload. Without this script the form still works.

(() => {
  const form = document.getElementById("upload");
  const drop = document.getElementById("drop");
  const input = form.querySelector('input[type="file"]');
  const chosen = document.getElementById("chosen");
  const sending = document.getElementById("sending");
  const bar = document.getElementById("sent");
  const text = document.getElementById("sent-text");
  const failure = document.getElementById("failure");
  const button = form.querySelector('button[type="submit"]');
  const limit = Number(form.dataset.limit);

  function size(bytes) {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (bytes >= 1000 && unit < units.length - 1) {
      bytes /= 1000;
      unit += 1;
    }
    return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
  }

  function fail(sentence) {
    failure.textContent = sentence;
    failure.hidden = !sentence;
  }

  function showChosen() {
    const file = input.files[0];
    fail("");
    if (!file) return;
    chosen.textContent = `${file.name}, ${size(file.size)}`;
    if (file.size > limit) fail(`This file is ${size(file.size)}; the limit is ${size(limit)}.`);
  }

  function drawProgress(loaded, total) {
    bar.value = total ? loaded / total : 0;
    text.textContent = `${size(loaded)} of ${size(total)}`;
  }

  function setSending(active) {
    sending.hidden = !active;
    button.disabled = active;
  }

  function send(event) {
    if (input.files[0] && input.files[0].size > limit) {
      event.preventDefault();
      return;
    }
    event.preventDefault();
    fail("");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (e) => drawProgress(e.loaded, e.total));
    request.addEventListener("load", () => {
      if (request.status === 200 && request.responseURL !== form.action) {
        window.location.assign(request.responseURL);
        return;
      }
      setSending(false);
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const said = page.querySelector("#errors, .said");
      fail(said ? said.textContent.replace(/\s+/g, " ").trim() : `The upload failed: the server returned status ${request.status}. Try again.`);
    });
    request.addEventListener("error", () => {
      setSending(false);
      fail("The connection was lost before the upload was complete. Nothing was imported; try again.");
    });
    request.addEventListener("abort", () => {
      setSending(false);
      fail("Upload cancelled. Nothing was imported.");
    });
    document.getElementById("cancel").onclick = () => request.abort();
    drawProgress(0, input.files[0].size);
    setSending(true);
    request.send(new FormData(form));
  }

  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) {
    drop.addEventListener(type, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      showChosen();
    }
  });
  input.addEventListener("change", showChosen);
  form.addEventListener("submit", send);
})();
