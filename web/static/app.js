// Small comforts; every page works without.

// An error summary takes the focus, so that a screen reader begins there.
document.querySelector(".errsum")?.focus();

// Selectors send their form when changed; the button stays for the rest.
for (const select of document.querySelectorAll("form.period select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
