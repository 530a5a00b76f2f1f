// Sorting, filtering and hiding, the view in the URL's fragment, and copying.
"use strict";
document.documentElement.classList.add("scripted");

const table = document.getElementById("table");
const body = table.tBodies[0];
const rows = [...body.rows];
const heads = [...table.tHead.rows[0].cells];
const filter = document.getElementById("filter");
const view = { sort: "", dir: "ascending", filter: "", hide: new Set() };

// A fragment that starts with "view:" is a view; any other is a place on the page.
function readFragment() {
  const fragment = location.hash.slice(1);
  if (!fragment.startsWith("view:")) return;
  const saved = new URLSearchParams(fragment.slice(5));
  view.sort = saved.get("sort") ?? "";
  view.dir = saved.get("dir") === "descending" ? "descending" : "ascending";
  view.filter = saved.get("filter") ?? "";
  view.hide = new Set(saved.getAll("hide"));
}

function writeFragment() {
  const saved = new URLSearchParams();
  if (view.sort) saved.set("sort", view.sort);
  if (view.sort) saved.set("dir", view.dir);
  if (view.filter) saved.set("filter", view.filter);
  view.hide.forEach((name) => saved.append("hide", name));
  const text = saved.toString();
  history.replaceState(null, "", text ? `#view:${text}` : location.pathname + location.search);
}

// Empty cells come last, and so do diverged rows, in both directions.
function compare(column) {
  const sign = view.dir === "descending" ? -1 : 1;
  return (a, b) => {
    const dead = a.classList.contains("diverged") - b.classList.contains("diverged");
    const [x, y] = [a, b].map((row) => row.cells[column].dataset.value);
    if (dead || x === y) return dead;
    if (x === "" || y === "") return (x === "") - (y === "");
    const numbers = x.trim() !== "" && y.trim() !== "" && !isNaN(x) && !isNaN(y);
    return sign * (numbers ? x - y : x.localeCompare(y, "en", { numeric: true }));
  };
}

function show() {
  const column = heads.findIndex((head) => head.dataset.key === view.sort);
  const order = column < 0 ? rows : [...rows].sort(compare(column));
  body.append(...order);
  heads.forEach((head, place) => {
    if (place === column) head.setAttribute("aria-sort", view.dir);
    else head.removeAttribute("aria-sort");
  });
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    count += !row.hidden;
    row.querySelector("input").checked = !view.hide.has(row.dataset.variant);
  }
  filter.value = view.filter;
  document.getElementById("shown").textContent = words.length ? `${count} of ${rows.length} shown` : "";
  const variants = rows.filter((row) => !row.hidden).map((row) => row.dataset.variant);
  const detail = { variants: variants.filter((name) => !view.hide.has(name)) };
  document.dispatchEvent(new CustomEvent("shown", { detail }));
}

function change() {
  writeFragment();
  show();
}

for (const head of heads) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const again = view.sort === head.dataset.key && view.dir === "ascending";
    view.dir = again ? "descending" : "ascending";
    view.sort = head.dataset.key;
    change();
  });
}
filter.addEventListener("input", () => {
  view.filter = filter.value;
  change();
});
body.addEventListener("change", (event) => {
  const name = event.target.closest("tr").dataset.variant;
  if (event.target.checked) view.hide.delete(name);
  else view.hide.add(name);
  change();
});
addEventListener("hashchange", () => {
  readFragment();
  show();
});
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));

// A page from disk may have no clipboard; where nothing can copy, the lines stay selected.
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

for (const button of document.querySelectorAll(".copy")) {
  const status = button.nextElementSibling;
  button.addEventListener("click", async () => {
    status.textContent = await copy(button.closest(".lines").querySelector("pre"));
    setTimeout(() => (status.textContent = ""), 2000);
  });
}

readFragment();
show();
