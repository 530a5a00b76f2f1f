// Arranges the grid by the settings chosen for its rows, columns and strips, as reporting/grid.py does at first.
const cells = byId("cells");
const axes = Object.fromEntries([...document.querySelectorAll("[data-axis]")].map((one) => [one.dataset.axis, one]));
const ROOMY = 4; // columns, at most, whose cells have room for words

// Lists of numbers, the first different number decides.
const inOrder = (a, b) => a.map((value, place) => value - b[place]).find(Boolean) ?? 0;
const distinct = (lists) => [...new Map(lists.map((list) => [list.join(), list])).values()].sort(inOrder);

function headed(tag, text, span, scope) {
  const head = document.createElement("th");
  head.textContent = text;
  head.scope = span > 1 ? `${scope}group` : scope;
  if (span > 1) head[tag] = span;
  return head;
}

function arrange({ values, places, usual }) {
  const keys = Object.keys(values);
  const row = axes.rows.value;
  const across = [axes.columns.value, axes.strips.value].filter((key) => key && key !== row);
  const over = keys.filter((key) => key !== row && !across.includes(key));
  const at = (name, those) => those.map((key) => places[name][keys.indexOf(key)]);
  const text = (key, place) => values[key][place];
  const names = Object.keys(places);
  const columns = distinct(names.map((name) => at(name, across)));
  const lines = distinct(names.map((name) => at(name, [row, ...over])));
  const chips = new Map([...cells.querySelectorAll(".chip")].map((chip) => [chip.dataset.variant, chip]));
  const inside = new Map();
  for (const name of names) {
    const cell = `${at(name, [row, ...over])}|${at(name, across)}`;
    inside.set(cell, [...(inside.get(cell) ?? []), chips.get(name)]);
  }
  const label = (rest) => {
    if (over.length === 1) return text(over[0], rest[0]);
    const all = over.map((key, place) => [key, text(key, rest[place])]);
    const named = all.filter(([key, value]) => value !== usual[key]);
    return named.map((pair) => pair.join(" ")).join(", ") || "as usual";
  };

  const corner = cells.querySelector(".corner");
  corner.rowSpan = across.length;
  corner.colSpan = over.length ? 2 : 1;
  corner.replaceChildren(...[`${across.join(", ")} →`, `${[row, ...over].join(", ")} ↓`].map((words) => {
    const line = document.createElement("span");
    line.textContent = words;
    return line;
  }));
  cells.tHead.replaceChildren(...across.map((key, depth) => {
    const line = document.createElement("tr");
    if (depth === 0) line.append(corner);
    for (const head of distinct(columns.map((column) => column.slice(0, depth + 1)))) {
      const span = columns.filter((column) => column.slice(0, depth + 1).join() === head.join()).length;
      line.append(headed("colSpan", text(key, head[depth]), span, "col"));
    }
    return line;
  }));
  cells.tBodies[0].replaceChildren(...lines.map((line, place) => {
    const element = document.createElement("tr");
    if (line[0] !== lines[place - 1]?.[0]) {
      const span = lines.filter((other) => other[0] === line[0]).length;
      element.append(headed("rowSpan", text(row, line[0]), span, "row"));
    }
    if (over.length) {
      const head = headed("rowSpan", label(line.slice(1)), 1, "row");
      head.className = "label";
      element.append(head);
    }
    for (const column of columns) element.insertCell().append(...(inside.get(`${line}|${column}`) ?? []));
    return element;
  }));
  cells.classList.toggle("roomy", columns.length <= ROOMY);
}

// What one axis takes, another gives up for what the first had.
function take({ target }) {
  const before = target.dataset.before;
  for (const other of Object.values(axes)) {
    if (other !== target && other.value === target.value) other.value = before;
  }
  Object.values(axes).forEach((one) => (one.dataset.before = one.value));
  arrange(JSON.parse(byId("grid-data").textContent));
}

for (const one of Object.values(axes)) {
  one.dataset.before = one.value;
  one.addEventListener("change", take);
}
