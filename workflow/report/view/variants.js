// What the page has of each variant, and what of it is shown.
document.documentElement.classList.add("scripted");

const byId = (id) => document.getElementById(id);
const table = byId("table");
const body = table.tBodies[0];
const heads = [...table.tHead.rows[0].cells];
const { variants: facts, sets, compared, unranked, p_values, corrected, pairs, significant } = JSON.parse(
  byId("facts").textContent,
);
const view = { sort: "", dir: "ascending", filter: "", hide: new Set(), pin: new Set(), at: "" };

const isMultiple = body.rows.length > 1; // one variant has nothing to sort, filter or pin

// Of each variant: its row, the words in it, its chips in the grid, its card and the card's details.
const variants = [...body.rows].map((row) => {
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
const byName = new Map(variants.map((variant) => [variant.name, variant]));
document.querySelectorAll(".chip").forEach((chip) => byName.get(chip.dataset.variant).chips.push(chip));

// The causes of what is not good, each with the entries of its variants.
const entryOf = (link) => [decodeURIComponent(link.getAttribute("href").slice(9)), link.closest("li")];
const causes = [...document.querySelectorAll(".cause")].map((cause) => {
  return { cause, entries: [...cause.querySelectorAll(".each a[href^='#variant-']")].map(entryOf) };
});
const causeLists = [...document.querySelectorAll(".why, .why .folded")]; // hidden where all of theirs are

const namesOf = (list) => list.map((variant) => variant.name);
const headOf = (key) => heads.findIndex((head) => head.dataset.key === key);
