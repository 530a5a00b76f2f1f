// What listens, and the first showing.
document.addEventListener("click", (event) => {
  if (reads(event)) return;
  const link = event.target.closest("a[href^='#variant-']");
  const name = link && decodeURIComponent(link.getAttribute("href").slice(9));
  if (!byName.has(name) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goTo(name, true);
});

for (const head of isMultiple ? heads : []) {
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
    require(choice.dataset.choice, choice.value);
    change();
  });
}
for (const { button, condition } of tiles) {
  button.addEventListener("click", () => {
    const [key, value] = condition.split("=");
    require(key, isPressed(button) ? "" : value);
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
  button.focus({ preventScroll: event.detail > 0 }); // its row may have moved; the pointer stays where it is
});
// A click anywhere in a row opens its card.
body.addEventListener("click", (event) => {
  const isSelecting = getSelection().type === "Range";
  if (isSelecting || event.target.closest("a, button, input, label, abbr")) return;
  goTo(event.target.closest("tr").dataset.variant, true);
});
byId("compare-pinned").addEventListener("click", () => byId("beside").focus());
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!parts.has(target) || !turn(target, target.open)) return;
    if (target === byName.get(view.at)?.details && !target.open) view.at = "";
    writeFragment();
  },
  true,
);
kept.forEach((select) => select.addEventListener("change", () => writeFragment()));
linear.forEach((button) => button.addEventListener("click", () => setTimeout(() => writeFragment())));
document.addEventListener("zoomed", () => writeFragment());
addEventListener("hashchange", () => {
  readFragment();
  show();
  if (byName.has(view.at)) goTo(view.at);
});

// Once there is nothing else to do, the other pictures too: a print has all of them, wherever the page was scrolled to.
addEventListener("load", () => {
  requestIdleCallback(() => document.querySelectorAll("img").forEach((picture) => (picture.loading = "eager")));
});

// The bar grows with what it says; what is jumped to, or sticks below it, is not covered.
const bar = document.querySelector(".bar");
new ResizeObserver(() => {
  const height = getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0;
  document.documentElement.style.setProperty("--bar", `${height}px`);
}).observe(bar);

readFragment();
show();
if (byName.has(view.at)) goTo(view.at);
