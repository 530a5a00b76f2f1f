// Shows the view: the order of rows and cards, and which of them are there. Tells the others by the event "shown".
const collator = new Intl.Collator("en", { numeric: true });

// Empty cells come last in both directions, and so do diverged rows, but by what they have as others do.
function compare(column) {
  const sign = view.dir === "descending" ? -1 : 1;
  const isOfAll = /^(variant|verdict|diverged_epoch|set-.*)$/.test(heads[column].dataset.key);
  return ({ row: a }, { row: b }) => {
    const dead = isOfAll ? 0 : a.classList.contains("diverged") - b.classList.contains("diverged");
    const [x, y] = [a, b].map((row) => row.cells[column].dataset.value);
    if (dead || x === y) return dead;
    if (x === "" || y === "") return (x === "") - (y === "");
    const numbers = x.trim() !== "" && y.trim() !== "" && !isNaN(x) && !isNaN(y);
    return sign * (numbers ? x - y : collator.compare(x, y));
  };
}

// Pinned variants first.
function order(column) {
  const sorted = column < 0 ? variants : [...variants].sort(compare(column));
  const isPinned = ({ name }) => view.pin.has(name);
  return [...sorted.filter(isPinned), ...sorted.filter((variant) => !isPinned(variant))];
}

// Elements move only when their order does.
function mover(parent, elementOf) {
  let places = namesOf(variants).join(" ");
  return (sorted) => {
    const wanted = namesOf(sorted).join(" ");
    if (places !== wanted) parent.append(...sorted.map(elementOf));
    places = wanted;
  };
}
const moveRows = mover(body, ({ row }) => row);
const moveCards = mover(variants[0].card.parentNode, ({ card }) => card);

function show() {
  const column = headOf(view.sort);
  moveRows(order(column));
  moveCards(order(-1)); // cards follow the pins only
  heads.forEach((head, place) => {
    if (place === column) head.setAttribute("aria-sort", view.dir);
    else head.removeAttribute("aria-sort");
  });
  const conditions = parse(view.filter);
  const shown = variants.filter((variant) => showVariant(variant, conditions));
  const isShown = new Set(namesOf(shown));
  for (const { cause, entries } of causes) {
    entries.forEach(([name, entry]) => (entry.hidden = !isShown.has(name)));
    cause.hidden = entries.length > 0 && !entries.some(([name]) => isShown.has(name));
  }
  causeLists.forEach((list) => (list.hidden = !list.querySelector(".cause:not([hidden])")));
  showFilter(conditions);
  showCount(shown, conditions);
  showDifferences();
  const detail = { variants: namesOf(shown), pinned: [...view.pin] };
  document.dispatchEvent(new CustomEvent("shown", { detail }));
}

// Returns whether it is shown.
function showVariant(variant, conditions) {
  const { name, row, card, chips, box, pin } = variant;
  const passes = conditions.every((condition) => holds(condition, variant));
  const isShown = passes && !view.hide.has(name);
  const isPinned = view.pin.has(name);
  row.hidden = !passes && !isPinned;
  card.hidden = !isShown && name !== view.at;
  chips.forEach((chip) => chip.classList.toggle("out", !isShown));
  box.checked = !view.hide.has(name);
  row.classList.toggle("away", !box.checked);
  pin?.setAttribute("aria-pressed", isPinned);
  row.classList.toggle("pinned", isPinned);
  return isShown;
}

function change(isNew = false) {
  writeFragment(isNew);
  show();
}

// A link to a variant opens its card; the view stays in the address. isNew: whether there is a way back.
function goTo(name, isNew = false) {
  view.at = name;
  change(isNew);
  const { card, details } = byName.get(name);
  details.open = true;
  card.scrollIntoView();
  details.querySelector("summary").focus({ preventScroll: true });
}
