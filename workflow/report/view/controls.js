// What listens, and the first showing.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#variant-']");
  const name = link && decodeURIComponent(link.getAttribute("href").slice(9));
  if (!byName.has(name) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goTo(name);
});

for (const head of heads) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const first = head.dataset.first ?? "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    view.dir = view.sort === head.dataset.key && view.dir === first ? other : first;
    view.sort = head.dataset.key;
    change();
  });
}
filter.addEventListener("input", () => {
  view.filter = filter.value;
  change();
});
for (const choice of choices) {
  choice.addEventListener("change", () => {
    writeChoice(choice);
    change();
  });
}
byId("all").addEventListener("click", () => {
  view.filter = "";
  view.hide.clear();
  change();
});
byId("only-pinned").addEventListener("click", () => {
  view.filter = "";
  view.hide = new Set(namesOf(variants).filter((name) => !view.pin.has(name)));
  change();
});
byId("none").addEventListener("click", () => {
  variants.forEach(({ name }) => view.hide.add(name));
  change();
});
body.addEventListener("change", (event) => {
  const name = event.target.closest("tr").dataset.variant;
  if (event.target.checked) view.hide.delete(name);
  else view.hide.add(name);
  change();
});
body.addEventListener("click", (event) => {
  const button = event.target.closest(".pin, .alone"); // not a word that is explained
  if (!button) return;
  const name = button.closest("tr").dataset.variant;
  if (button.classList.contains("alone")) view.hide = new Set(namesOf(variants).filter((other) => other !== name));
  else if (!view.pin.delete(name)) view.pin.add(name);
  change();
  button.focus(); // its row may have moved
});
kept.forEach((select) => select.addEventListener("change", writeFragment));
linear.forEach((button) => button.addEventListener("click", () => setTimeout(writeFragment)));
document.addEventListener("zoomed", writeFragment);
addEventListener("hashchange", () => {
  readFragment();
  show();
  if (byName.has(view.at)) goTo(view.at);
});

// Once there is nothing else to do, the other pictures too: a print has all of them, wherever the page was scrolled to.
addEventListener("load", () => {
  requestIdleCallback(() => document.querySelectorAll("img").forEach((picture) => (picture.loading = "eager")));
});

// The readout under the grid says what the chip under the pointer, or with the focus, holds.
const readout = document.querySelector(".readout");
const read = (event) => {
  const chip = event.target.closest?.(".chip");
  if (chip) readout.textContent = chip.querySelector(".tip").textContent;
};
document.addEventListener("pointerover", read);
document.addEventListener("focusin", read);

readFragment();
show();
if (byName.has(view.at)) goTo(view.at);
