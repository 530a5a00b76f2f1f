// Filtering, hiding, pinning, sorting; the view in the URL's fragment; copying.
"use strict";
document.documentElement.classList.add("scripted");

const byId = (id) => document.getElementById(id);
const table = byId("table");
const body = table.tBodies[0];
const rows = [...body.rows];
const heads = [...table.tHead.rows[0].cells];
const facts = JSON.parse(byId("facts").textContent).variants;
const filter = byId("filter");
const choices = [...document.querySelectorAll("[data-choice]")];
const kept = [...document.querySelectorAll("select[data-kept]")]; // choices that the address keeps
const linear = [...document.querySelectorAll("[data-does=linear]")];
const view = { sort: "", dir: "ascending", filter: "", hide: new Set(), pin: new Set(), at: "" };

// Of each variant: its row, the words in it, its chip in the grid, its card and the card's details.
const variants = rows.map((row) => {
  const name = row.dataset.variant;
  const card = byId(`variant-${name}`);
  return {
    name,
    row,
    card,
    details: card.querySelector("details"),
    chips: [],
    words: row.textContent.toLowerCase(),
    box: row.querySelector("input"),
    pin: row.querySelector(".pin"),
  };
});
const called = new Map(variants.map((one) => [one.name, one]));
document.querySelectorAll(".chip").forEach((chip) => called.get(chip.dataset.variant).chips.push(chip));

// A fragment that starts with "view:" is a view; any other is a place on the page.
function readFragment() {
  const fragment = location.hash.slice(1);
  const place = fragment.startsWith("variant-") ? decodeURIComponent(fragment.slice(8)) : "";
  if (place) view.at = place;
  if (!fragment.startsWith("view:")) return;
  const saved = new URLSearchParams(fragment.slice(5));
  view.sort = saved.get("sort") ?? "";
  view.dir = saved.get("dir") === "descending" ? "descending" : "ascending";
  view.filter = saved.get("filter") ?? "";
  view.hide = new Set(saved.getAll("hide"));
  // Few of many are shown: then it is those that the address names.
  if (saved.has("only")) {
    const only = new Set(saved.getAll("only"));
    view.hide = new Set(variants.map((one) => one.name).filter((name) => !only.has(name)));
  }
  view.pin = new Set(saved.getAll("pin").filter((name) => called.has(name)));
  for (const select of kept) {
    const value = saved.get(select.dataset.kept) ?? select.options[0].value;
    if (value === select.value || ![...select.options].some((option) => option.value === value)) continue;
    select.value = value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const button of linear) {
    const isOn = button.getAttribute("aria-pressed") === "true";
    if (isOn !== saved.getAll("linear").includes(button.dataset.of)) button.click();
  }
  view.at = saved.get("at") ?? "";
}

function writeFragment() {
  const saved = new URLSearchParams();
  if (view.sort) saved.set("sort", view.sort);
  if (view.sort) saved.set("dir", view.dir);
  if (view.filter) saved.set("filter", view.filter);
  const shown = variants.filter((one) => !view.hide.has(one.name)).map((one) => one.name);
  if (view.hide.size <= shown.length) view.hide.forEach((name) => saved.append("hide", name));
  else (shown.length ? shown : [""]).forEach((name) => saved.append("only", name));
  view.pin.forEach((name) => saved.append("pin", name));
  kept.filter((one) => one.selectedIndex > 0).forEach((one) => saved.set(one.dataset.kept, one.value));
  const pressed = linear.filter((one) => one.getAttribute("aria-pressed") === "true");
  pressed.forEach((one) => saved.append("linear", one.dataset.of));
  if (view.at) saved.set("at", view.at);
  const text = saved.toString();
  history.replaceState(null, "", text ? `#view:${text}` : location.pathname + location.search);
}

const KEYS = new Set([...Object.keys(facts[variants[0].name].settings), "test_wrong", "verdict", "finding"]);

// "loss=bce", "lr<0.01" are conditions; anything else is a word. A value with a space stands in quotes.
function parse(text) {
  const pieces = text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
  return pieces.map((piece) => {
    const [, key, sign, value] = piece.match(/^([\w-]+)(!=|==|<=|>=|=|<|>)(.*)$/) ?? [];
    const known = KEYS.has(key);
    const plain = (known ? value : piece).replaceAll('"', "").toLowerCase();
    return known ? { key, sign, value: plain } : { word: plain, unknown: key };
  });
}

function holds({ key, sign, value, word }, one) {
  if (word !== undefined) return one.words.includes(word);
  if (value === "") return true; // still being typed
  const fact = facts[one.name];
  const found = [fact.settings[key] ?? fact[key] ?? []].flat();
  const number = value.trim() === "" ? NaN : Number(value);
  const equal = (held) => String(held).toLowerCase() === value || Number(held) === number;
  if (sign === "!=") return !found.some(equal);
  if (sign.includes("=") && found.some(equal)) return true;
  if (sign.startsWith("<")) return found.some((held) => held < number);
  return sign.startsWith(">") && found.some((held) => held > number);
}

const collator = new Intl.Collator("en", { numeric: true });

// Empty cells come last, and so do diverged rows, in both directions; pinned rows first.
function compare(column) {
  const sign = view.dir === "descending" ? -1 : 1;
  return ({ row: a }, { row: b }) => {
    const dead = a.classList.contains("diverged") - b.classList.contains("diverged");
    const [x, y] = [a, b].map((row) => row.cells[column].dataset.value);
    if (dead || x === y) return dead;
    if (x === "" || y === "") return (x === "") - (y === "");
    const numbers = x.trim() !== "" && y.trim() !== "" && !isNaN(x) && !isNaN(y);
    return sign * (numbers ? x - y : collator.compare(x, y));
  };
}

function order(list, column) {
  const sorted = column < 0 ? list : [...list].sort(compare(column));
  const isPinned = (one) => view.pin.has(one.name);
  return [...sorted.filter(isPinned), ...sorted.filter((one) => !isPinned(one))];
}

let placed = variants.map((one) => one.name).join(" ");
let cardsPlaced = placed;
function show() {
  const column = heads.findIndex((head) => head.dataset.key === view.sort);
  const sorted = order(variants, column);
  const places = sorted.map((one) => one.name).join(" ");
  // Rows and cards move only when their order does; cards follow the pins only.
  if (placed !== places) body.append(...sorted.map((one) => one.row));
  placed = places;
  const cards = order(variants, -1);
  const cardPlaces = cards.map((one) => one.name).join(" ");
  if (cardsPlaced !== cardPlaces) cards[0].card.parentNode.append(...cards.map((one) => one.card));
  cardsPlaced = cardPlaces;
  heads.forEach((head, place) => {
    if (place === column) head.setAttribute("aria-sort", view.dir);
    else head.removeAttribute("aria-sort");
  });
  const conditions = parse(view.filter);
  const shown = [];
  for (const one of variants) {
    const passes = conditions.every((condition) => holds(condition, one));
    const isShown = passes && !view.hide.has(one.name);
    if (isShown) shown.push(one.name);
    one.row.hidden = !passes && !view.pin.has(one.name);
    one.card.hidden = !isShown && one.name !== view.at;
    one.chips.forEach((chip) => chip.classList.toggle("out", !isShown));
    one.box.checked = !view.hide.has(one.name);
    one.pin.textContent = view.pin.has(one.name) ? "unpin" : "pin";
    one.pin.setAttribute("aria-pressed", view.pin.has(one.name));
    one.row.classList.toggle("pinned", view.pin.has(one.name));
  }
  if (filter.value !== view.filter) filter.value = view.filter;
  for (const choice of choices) {
    const chosen = conditions.find((one) => one.key === choice.dataset.choice && one.sign === "=");
    choice.value = [...choice.options].find((one) => one.value.toLowerCase() === chosen?.value)?.value ?? "";
  }
  // A name may have "=" in it, so only where nothing is left was it meant as a key.
  const unknown = shown.length ? undefined : conditions.find((one) => one.unknown)?.unknown;
  const [some, all] = [shown, variants].map((list) => list.length.toLocaleString("en"));
  const counted = some === all ? "" : `${some} of ${all} shown`;
  byId("shown").textContent = unknown ? `${counted}; “${unknown}” is no key` : counted;
  showDifferences();
  document.dispatchEvent(new CustomEvent("shown", { detail: { variants: shown, pinned: [...view.pin] } }));
}

function change() {
  writeFragment();
  show();
}

// The first pinned variant is a baseline: behind each number of wrong images stands the difference to it.
let baseline = null;
const amount = (value) => String(+Math.abs(value).toFixed(Math.abs(value) < 0.05 ? 2 : 1));
function showDifferences() {
  const [first = null] = view.pin;
  if (baseline === first) return;
  baseline = first;
  for (const key of ["test_wrong", "train_wrong"]) {
    const column = heads.findIndex((head) => head.dataset.key === key);
    for (const { name, row } of variants) {
      const cell = row.cells[column];
      cell.querySelector(".difference")?.remove();
      const [mine, its] = [facts[name][key], facts[first]?.[key] ?? null];
      if (mine === null || its === null) continue;
      const difference = document.createElement("small");
      difference.className = "difference";
      const sign = mine > its ? "+" : mine < its ? "−" : "±";
      difference.textContent = name === first ? "baseline" : `${sign}${amount(mine - its)} to the baseline`;
      cell.append(difference);
    }
  }
}

// A link to a variant opens its card; the view stays in the address.
function goTo(name) {
  view.at = name;
  change();
  const { card, details } = called.get(name);
  details.open = true;
  card.scrollIntoView();
  details.querySelector("summary").focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#variant-']");
  const name = link && decodeURIComponent(link.getAttribute("href").slice(9));
  if (!called.has(name) || event.ctrlKey || event.metaKey || event.shiftKey) return;
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
    const pieces = view.filter.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
    const others = pieces.filter((piece) => !piece.startsWith(`${choice.dataset.choice}=`));
    const value = /\s/.test(choice.value) ? `"${choice.value}"` : choice.value;
    view.filter = [...others, ...(value ? [`${choice.dataset.choice}=${value}`] : [])].join(" ");
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
  view.hide = new Set(variants.map((one) => one.name).filter((name) => !view.pin.has(name)));
  change();
});
byId("none").addEventListener("click", () => {
  variants.forEach((one) => view.hide.add(one.name));
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
  const others = variants.map((one) => one.name).filter((one) => one !== name);
  if (button.classList.contains("alone")) view.hide = new Set(others);
  else if (!view.pin.delete(name)) view.pin.add(name);
  change();
  button.focus(); // its row may have moved
});
kept.forEach((select) => select.addEventListener("change", writeFragment));
linear.forEach((button) => button.addEventListener("click", () => setTimeout(writeFragment)));
// Once there is nothing else to do, the other pictures too: a print has all of them, wherever the page was scrolled to.
addEventListener("load", () => {
  requestIdleCallback(() => document.querySelectorAll("img").forEach((one) => (one.loading = "eager")));
});
addEventListener("hashchange", () => {
  readFragment();
  show();
  if (called.has(view.at)) goTo(view.at);
});

// The readout under the grid says what the chip under the pointer, or with the focus, holds.
const readout = document.querySelector(".readout");
const read = (event) => {
  const chip = event.target.closest?.(".chip");
  if (chip) readout.textContent = chip.querySelector(".tip").textContent;
};
document.addEventListener("pointerover", read);
document.addEventListener("focusin", read);

// A page from disk may have no clipboard; where nothing can copy, the text stays selected.
async function copy(lines) {
  try {
    await navigator.clipboard.writeText(lines.textContent);
    return "copied";
  } catch {
    const selection = getSelection();
    selection.selectAllChildren(lines);
    if (!document.execCommand("copy")) return "selected";
    selection.removeAllRanges();
    return "copied";
  }
}

function say(status, text) {
  status.textContent = text;
  setTimeout(() => (status.textContent = ""), 2000);
}

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    say(button.nextElementSibling, await copy(button.closest(".lines").querySelector("pre")));
  });
}

// The table as text: its rows as they are shown, in their order.
const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$" };
Object.assign(LATEX, { "<": "$<$", ">": "$>$", "−": "$-$", "∞": "$\\infty$", "–": "--", "★": "*", "✕": "$\\times$" });
const FORMATS = {
  CSV: (lines) => {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return lines.map((line) => line.map(quoted).join(","));
  },
  Markdown: (lines) => {
    const written = lines.map((line) => `| ${line.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`);
    return [written[0], `| ${lines[0].map(() => "---").join(" | ")} |`, ...written.slice(1)];
  },
  LaTeX: (lines) => {
    const safe = (text) => text.replace(/[\\~^±<>−∞–★✕&%$#_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`);
    const written = lines.map((line) => `${line.map(safe).join(" & ")} \\\\`);
    const begin = `\\begin{tabular}{${"l".repeat(lines[0].length)}}`;
    const rule = "\\hline";
    return [begin, rule, written[0], rule, ...written.slice(1), rule, "\\end{tabular}"];
  },
};

function tableLines() {
  const text = (cell) => cell.textContent.replace(/\s+/g, " ").trim();
  const shown = [...body.rows].filter((row) => !row.hidden && !view.hide.has(row.dataset.variant));
  return [heads.map(text), ...shown.map((row) => [row.dataset.variant, ...[...row.cells].slice(1).map(text)])];
}

for (const button of document.querySelectorAll("[data-take]")) {
  button.addEventListener("click", async () => {
    const text = document.createElement("pre");
    text.className = "taken";
    text.textContent = `${FORMATS[button.dataset.take](tableLines()).join("\n")}\n`;
    document.body.append(text);
    say(byId("taken"), await copy(text));
    text.remove();
  });
}

readFragment();
show();
if (called.has(view.at)) goTo(view.at);
