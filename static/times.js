// Times in the zone of the reader; without a script they are in that of the installation. What a
// record tells stays as it is, as filters mean it: there the reader's time is a hint.

(() => {
  const format = new Intl.DateTimeFormat("en-GB", {
    day: "2-digit", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });

  function tell(part) {
    for (const time of part.querySelectorAll("time.when, time.moment")) {
      const here = format.format(new Date(time.dateTime));
      if (time.matches(".when")) time.querySelector("small").textContent = here;
      else time.title = here;
    }
  }

  tell(document);
  // Parts that have come since.
  document.addEventListener("htmx:load", (event) => tell(event.target));
  document.addEventListener("shown", (event) => tell(event.target));
})();
