// Pinned variants side by side, the first as the baseline: what differs in bold, which differences may be luck, and the
// test images that only one gets right. Follows the event "shown".
"use strict";
(() => {
const { variants: facts, sets, compared, p_values, significant } = JSON.parse(
  document.getElementById("facts").textContent,
);
const panel = document.getElementById("compare");
const SHOWN = 24; // digits

// The test images that a variant gets wrong with some seed; null where a seed gives no answer.
function missed(name) {
  const numbers = facts[name].wrong;
  return numbers.includes(null) ? null : new Set(numbers.flatMap((number) => sets[number]));
}

// Of the paired test, as comparing/significance.py computed it; undefined where it did not.
function probability(a, b) {
  const [low, high] = [compared.indexOf(a), compared.indexOf(b)].sort((one, other) => one - other);
  return p_values[high]?.[low];
}

function made(tag, text, parent) {
  const one = document.createElement(tag);
  one.textContent = text;
  parent?.append(one);
  return one;
}

const amount = (value) => String(+value.toFixed(Math.abs(value) < 0.05 ? 2 : 1)).replace("-", "−");

// What can be said of each variant's difference to the first. Bonferroni's bound is one that a reader can check.
function against(first, names) {
  const bound = significant / (names.length - 1);
  return names.map((name) => {
    if (name === first) return "baseline";
    if (!missed(first) || !missed(name)) return "a seed gives no answer";
    const p = probability(first, name);
    if (p === undefined) return `p is computed for the ${compared.length} best only`;
    const told = p < 1e-4 ? "p < 0.0001" : `p = ${p}`;
    if (p >= bound) return `may well be luck, ${told}`;
    return `significantly ${facts[name].test_wrong > facts[first].test_wrong ? "worse" : "better"}, ${told}`;
  });
}

function fill(names) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
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
  const keys = Object.keys(facts[first].settings);
  const lines = keys.map((key) => [key, (name) => [facts[name].settings[key]].flat().join(", ")]);
  lines.push(["verdict", (name) => facts[name].state]);
  lines.push(["findings", (name) => facts[name].finding.join(", ") || "–"]);
  lines.push(["wrong test images", wrong]);
  const inside = table.createTBody();
  const insert = (title, values) => {
    const row = inside.insertRow();
    made("th", title, row).scope = "row";
    const tag = new Set(values).size > 1 ? "b" : "span";
    values.forEach((value) => made(tag, value, row.insertCell()));
  };
  for (const [title, text] of lines) insert(title, names.map(text));
  insert("the difference in them", against(first, names));
  panel.querySelector(".wide").replaceChildren(table);
  const others = names.length - 1;
  const bound = others > 1 ? `/ ${others}, Bonferroni's bound for ${others} comparisons` : "";
  panel.querySelector(".note").textContent = [
    `p is that of an exact paired test over all test images and seeds, against ${first}.`,
    `Significant means p < ${significant} ${bound}`.trimEnd() + "; else the difference may well be luck.",
    "Other seeds may differ more than these images tell.",
  ].join(" ");
  panel.querySelector(".only").replaceChildren(...onlyRight(names));
}

// Of each what it gets right with every seed, and each other one wrong with some seed.
function onlyRight(names) {
  const found = names.map(missed);
  const silent = names.find((_, place) => found[place] === null);
  if (silent) return [made("p", `A seed of ${silent} gives no answer, so that their images are not compared.`)];
  const every = names.some((name) => facts[name].wrong.length > 1) ? ", with every seed" : "";
  const parts = names.flatMap((name, place) => {
    const others = found.filter((_, other) => other !== place);
    const images = [...others[0]].filter((image) => {
      return !found[place].has(image) && others.every((one) => one.has(image));
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

let beside = "";
document.addEventListener("shown", ({ detail: { pinned } }) => {
  if (beside === pinned.join(" ")) return;
  beside = pinned.join(" ");
  panel.hidden = pinned.length < 2;
  if (!panel.hidden) fill(pinned);
});
})();
