// Small comforts; every page works without.

// An error summary takes the focus, so that a screen reader begins there.
document.querySelector(".errsum")?.focus();

// A selector chosen by pointer sends its form. By keyboard every arrow is a
// change, so there the button decides.
for (const select of document.querySelectorAll("form.period select")) {
  let pointed = false;
  select.addEventListener("pointerdown", () => { pointed = true; });
  select.addEventListener("keydown", () => { pointed = false; });
  select.addEventListener("change", () => { if (pointed) select.form.requestSubmit(); });
}

// The key / leads to the search, wherever nothing is being typed.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
  const field = document.getElementById("find");
  const link = document.querySelector(".find-link");
  if (field?.offsetParent) {
    field.focus();
    field.select();
  } else if (link) {
    location.assign(link.href);
  } else {
    return;
  }
  event.preventDefault();
});

// A page out of the browser's own memory may be shown after its reader has signed out.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  fetch("/account", { method: "HEAD", redirect: "manual" }).then((answer) => {
    if (answer.type === "opaqueredirect") location.reload();
  }, () => {});
});
