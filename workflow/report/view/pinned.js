// Pinned variants. The first is the baseline: the table has each one's difference to it. Side by side, what differs is
// bold, with what may be luck, and the test images that only one gets right.
const panel = byId("compare");
const SHOWN = 24; // digits

const amount = (value) => String(+value.toFixed(Math.abs(value) < 0.05 ? 2 : 1)).replace("-", "−");

let baseline = null;
function showDifferences() {
  const [first = null] = view.pin;
  if (baseline === first) return;
  baseline = first;
  table.classList.toggle("based", first !== null);
  for (const key of ["test_wrong", "train_wrong"]) {
    const column = headOf(key);
    for (const { name, row } of variants) {
      const cell = row.cells[column];
      cell.querySelector(".difference")?.remove();
      const [mine, its] = [facts[name][key], facts[first]?.[key] ?? null];
      if (mine === null || its === null) continue;
        const sign = mine > its ? "+" : mine < its ? "−" : "±";
      const chip = document.createElement("small");
      chip.className = `difference ${mine > its ? "worse" : mine < its ? "better" : ""}`;
      chip.textContent = name === first ? "baseline" : `Δ ${sign}${amount(Math.abs(mine - its))}`;
      chip.title = name === first ? "the others are compared with this one" : `difference to ${first}`;
      if (name !== first || key === "test_wrong") cell.prepend(chip);
    }
  }
}

// The test images that a variant gets wrong with some seed; null where a seed gives no answer.
function missed(name) {
  const numbers = facts[name].wrong;
  return numbers.includes(null) ? null : new Set(numbers.flatMap((number) => sets[number]));
}

// Of the paired test, and after Holm's correction, as comparing/significance.py has them; undefined where it has not.
function probabilities(a, b) {
  const [low, high] = [compared.indexOf(a), compared.indexOf(b)].sort((x, y) => x - y);
  return [p_values[high]?.[low], corrected[high]?.[low]];
}

function made(tag, text, parent) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent?.append(element);
  return element;
}

const count = (number) => number.toLocaleString("en");
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const told = (p) => (p < 1e-4 ? "< 0.0001" : `= ${p}`);

// What can be said of each variant's difference to the first: the same as the answer says.
function against(first, names) {
  return names.map((name) => {
    if (name === first) return "baseline";
    const left = [first, name].find((one) => unranked.includes(one));
    if (left) return left === first ? "the baseline is not ranked" : "not ranked";
    const [p, after] = probabilities(first, name);
    if (p === undefined) return `p is computed for the ${compared.length} best only`;
    if (isSame(facts[first].wrong, facts[name].wrong)) {
      const isCopy = isSame(facts[first].settings, facts[name].settings);
      return isCopy ? "the same models as the baseline" : "none: wrong on the same images as the baseline";
    }
    const isCorrected = pairs > 1 && after !== p;
    const many = isCorrected ? `; ${told(after).replace("= ", "")} after correction for ${count(pairs)} pairs` : "";
    const both = `(p ${told(p)}${many})`;
    if (after >= significant) return `may well be luck ${both}`;
    return `significantly ${facts[name].test_wrong > facts[first].test_wrong ? "worse" : "better"} ${both}`;
  });
}

function fill(names) {
  const beside = document.createElement("table");
  const head = beside.createTHead().insertRow();
  made("td", "", head);
  for (const name of names) {
    const cell = made("th", "", head);
    cell.scope = "col";
    made("a", name, cell).href = `#variant-${name}`;
  }
  const first = names[0];
  const wrong = (name) => {
    const value = facts[name].test_wrong;
    return value === null ? "–" : amount(value);
  };
  const settings = Object.keys(facts[first].settings);
  const text = (key) => (name) => [facts[name].settings[key]].flat().join(", ");
  const differing = settings.filter((key) => new Set(names.map(text(key))).size > 1);
  const lines = differing.map((key) => [key, text(key)]);
  lines.push(["verdict", (name) => facts[name].state]);
  lines.push(["findings", (name) => facts[name].finding.join(", ") || "–"]);
  lines.push(["wrong test images", wrong]);
  const inside = beside.createTBody();
  const insert = (title, cells) => {
    const row = inside.insertRow();
    made("th", title, row).scope = "row";
    cells.forEach((cell) => row.insertCell().append(cell));
  };
  const insertWords = (title, values) => {
    const tag = new Set(values).size > 1 ? "b" : "span";
    insert(title, values.map((value) => made(tag, value)));
  };
  for (const [title, of] of lines) insertWords(title, names.map(of));
  insertWords("the difference in them", against(first, names));
  for (const [measure, title] of Object.entries(MEASURES)) {
    const curves = sparks(names, measure);
    if (curves) insert(title, curves);
  }
  insert("ŷ of the training images", names.map(plotOf));
  const same = settings.filter((key) => !differing.includes(key)).map((key) => `${key} ${text(key)(first)}`);
  const foot = beside.createCaption();
  foot.textContent = `${differing.length ? "The same in all" : "All settings are the same"}: ${same.join(" · ")}`;
  panel.querySelector(".wide").replaceChildren(beside);
  const after = pairs > 1 ? ` with all ${count(pairs)} pairs of different variants counted, Holm's correction` : "";
  const left = names.some((name) => unranked.includes(name));
  panel.querySelector(".note").textContent = [
    `p is that of an exact paired test over all test images and seeds, against ${first}.`,
    `Significant means p < ${significant}${after}; else the difference may well be luck.`,
    "Other seeds may differ more than these images tell.",
    left ? "A variant is not ranked if a model failed, gives no answer, or does no better than guessing." : "",
  ].join(" ");
  panel.querySelector(".only").replaceChildren(...onlyRight(names));
}

function plotOf(name) {
  const plot = byName.get(name).card.querySelector(".plot")?.cloneNode() ?? document.createElement("span");
  plot.loading = "eager";
  return plot;
}

// Of each what it gets right with every seed, and each other one wrong with some seed.
function onlyRight(names) {
  const wrong = names.map(missed);
  const silent = names.find((_, place) => wrong[place] === null);
  if (silent) return [made("p", `A seed of ${silent} gives no answer, so that their images are not compared.`)];
  const every = names.some((name) => facts[name].wrong.length > 1) ? ", with every seed" : "";
  const parts = names.flatMap((name, place) => {
    const others = wrong.filter((_, other) => other !== place);
    const images = [...others[0]].filter((image) => {
      return !wrong[place].has(image) && others.every((other) => other.has(image));
    });
    if (!images.length) return [];
    const title = `Only ${name} gets right${every}: ${images.length} test image${images.length === 1 ? "" : "s"}`;
    return [made("h3", title), pictured(images)];
  });
  return parts.length ? parts : [made("p", "There is no test image that only one of them gets right.")];
}

function pictured(images) {
  const digits = document.createElement("div");
  digits.className = "digits";
  for (const image of images.sort((a, b) => a - b)) {
    const digit = document.querySelector(`[data-image="test-${image}"]`);
    if (!digit || digits.childElementCount === SHOWN) continue;
    const copied = digit.cloneNode(true);
    copied.querySelector("figcaption").textContent = image;
    digits.append(copied);
  }
  return digits;
}

// In the bar: how many are pinned, and the way to them.
function showPinned(count) {
  const button = byId("compare-pinned");
  button.hidden = count === 0;
  button.disabled = count < 2;
  button.textContent = count < 2 ? "pin one more to compare" : `compare ${count}`;
}

let placed = "";
document.addEventListener("shown", ({ detail: { pinned } }) => {
  if (placed === pinned.join(" ")) return;
  placed = pinned.join(" ");
  showPinned(pinned.length);
  panel.hidden = pinned.length < 2;
  if (!panel.hidden) fill(pinned);
});
