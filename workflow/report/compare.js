// Pinned variants side by side, the first as the baseline: what differs in bold, the paired test over all seeds, and
// the test images that only one gets right. Follows the event "shown".
"use strict";
(() => {
const { variants: facts, sets } = JSON.parse(document.getElementById("facts").textContent);
const panel = document.getElementById("compare");
const SHOWN = 24; // digits
const SIGNIFICANT = 0.05;

const divisor = (a, b) => (b ? divisor(b, a % b) : Math.abs(a));

// The exact two-sided p of the sign flips of paired differences, one per image; comparing/statistics.py says more.
function signFlips(differences) {
  const found = differences.filter(Boolean);
  const unit = found.reduce(divisor, 0) || 1;
  const sizes = found.map((one) => Math.abs(one) / unit);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const shares = new Float64Array(total + 1); // [s]: of the ways in which the positive differences add up to s
  shares[0] = 1;
  let most = 0;
  for (const size of sizes) {
    most += size;
    for (let sum = most; sum >= 0; sum--) shares[sum] = (shares[sum] + (sum < size ? 0 : shares[sum - size])) / 2;
  }
  const apart = Math.abs(found.reduce((sum, one) => sum + one, 0)) / unit;
  const tail = shares.subarray((total + apart) / 2).reduce((sum, share) => sum + share, 0);
  return Math.min(1, 2 * tail);
}

// S. Holm's correction for the number of comparisons; null where there is none.
function holm(values) {
  const order = values.map((p, place) => [p, place]).filter(([p]) => p !== null).sort(([a], [b]) => a - b);
  const corrected = values.map(() => null);
  let largest = 0;
  order.forEach(([p, place], rank) => {
    largest = Math.max(largest, Math.min(1, (order.length - rank) * p));
    corrected[place] = largest;
  });
  return corrected;
}

// {image: in how many seeds it is wrong}; null where a seed gives no answer.
function errors(name) {
  const numbers = facts[name].wrong;
  if (numbers.includes(null)) return null;
  const counts = new Map();
  for (const number of numbers) for (const image of sets[number]) counts.set(image, (counts.get(image) ?? 0) + 1);
  return { counts, seeds: numbers.length };
}

// Two variants, each seed weighing as much as its variant has few of them: p, and by how much b has more wrong.
function paired(a, b) {
  const [of_a, of_b] = [errors(a), errors(b)];
  if (!of_a || !of_b) return null;
  const images = new Set([...of_a.counts.keys(), ...of_b.counts.keys()]);
  const count = (one, image) => one.counts.get(image) ?? 0;
  const differences = [...images].map((image) => count(of_b, image) * of_a.seeds - count(of_a, image) * of_b.seeds);
  return { p: signFlips(differences), more: differences.reduce((sum, one) => sum + one, 0) };
}

function made(tag, text, parent) {
  const one = document.createElement(tag);
  one.textContent = text;
  parent?.append(one);
  return one;
}

const amount = (value) => String(+value.toFixed(Math.abs(value) < 0.05 ? 2 : 1)).replace("-", "−");
// What is below the bound must not be rounded to it.
function probability(p) {
  if (p < 1e-4) return "p < 0.0001";
  const rounded = Number(p.toPrecision(2));
  return p < SIGNIFICANT && rounded >= SIGNIFICANT ? `p < ${SIGNIFICANT}` : `p = ${rounded}`;
}


function against(first, names) {
  const found = names.map((name) => (name === first ? null : paired(first, name)));
  const p_values = holm(found.map((one) => one && one.p));
  return names.map((name, place) => {
    if (name === first) return "baseline";
    const p = p_values[place];
    if (p === null) return "a seed gives no answer";
    if (p >= SIGNIFICANT) return `may well be luck, ${probability(p)}`;
    return `significantly ${found[place].more > 0 ? "worse" : "better"}, ${probability(p)}`;
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
  panel.querySelector(".note").textContent = [
    `p is that of an exact paired test over all test images and seeds, against ${first}`,
    names.length > 2 ? `, Holm's correction for ${names.length - 1} comparisons included` : "",
    `: from ${SIGNIFICANT} on, the difference may well be luck. Other seeds may differ more than these images tell.`,
  ].join("");
  panel.querySelector(".only").replaceChildren(...onlyRight(names));
}

// Of each what it gets right with every seed, and each other one wrong with some seed.
function onlyRight(names) {
  const found = names.map(errors);
  const silent = names.find((_, place) => found[place] === null);
  if (silent) return [made("p", `A seed of ${silent} gives no answer, so that their images are not compared.`)];
  const every = found.some((one) => one.seeds > 1) ? ", with every seed" : "";
  const parts = names.flatMap((name, place) => {
    const others = found.filter((_, other) => other !== place);
    const images = [...others[0].counts.keys()].filter((image) => {
      return !found[place].counts.has(image) && others.every(({ counts }) => counts.has(image));
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
