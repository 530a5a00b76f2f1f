// The view in the page's address. A fragment that starts with "view:" is a view; any other is a place on the page.
const kept = [...document.querySelectorAll("select[data-kept]")]; // choices that the address keeps
const atFirst = (select) => [...select.options].find((option) => option.defaultSelected) ?? select.options[0];
const linear = [...document.querySelectorAll("[data-does=linear]")];
const drawings = [...document.querySelectorAll("figure:has([data-does=closer])")]; // that can be zoomed
const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
const chartOf = (drawing) => drawing.querySelector("[data-chart]").dataset.chart;

// What can be opened, and how it was at first. Each has a name: that of the place it is in, and its number there.
const parts = new Map([...document.querySelectorAll("details")].map((part) => [part, part.open]));
const turned = new Set(); // that are now not as they were
const placeOf = (part) => part.parentElement.closest("[id^='variant-'], [aria-labelledby]") ?? document.body;
const nameOfPlace = (place) => place.id || place.getAttribute("aria-labelledby") || "page";

function nameOf(part) {
  const place = placeOf(part);
  return `${nameOfPlace(place)}.${[...place.querySelectorAll("details")].indexOf(part)}`;
}

function partOf(name) {
  const [, place, number] = name.match(/^(.*)\.(\d+)$/) ?? [];
  const within = place === "page" ? document.body : byId(place ?? "")?.closest("article, section");
  return within?.querySelectorAll("details")[number];
}

// Whether that is new.
function turn(part, isOpen) {
  part.open = isOpen;
  const isTurned = isOpen !== parts.get(part);
  if (isTurned === turned.has(part)) return false;
  turned[isTurned ? "add" : "delete"](part);
  return true;
}

const old = { test: "test_wrong", train: "train_wrong" }; // columns of accuracies, which the table had once

function readFragment() {
  const fragment = location.hash.slice(1);
  if (fragment && !fragment.startsWith("view:")) {
    view.at = fragment.startsWith("variant-") ? decodeURIComponent(fragment.slice(8)) : "";
    return;
  }
  const saved = new URLSearchParams(fragment.slice(5));
  view.sort = saved.get("sort") ?? "";
  view.dir = (saved.get("dir") === "descending") !== (view.sort in old) ? "descending" : "ascending";
  view.sort = old[view.sort] ?? view.sort;
  view.filter = saved.get("filter") ?? "";
  view.hide = new Set(saved.getAll("hide"));
  // Few of many are shown: then it is those that the address names.
  if (saved.has("only")) {
    const only = new Set(saved.getAll("only"));
    view.hide = new Set(namesOf(variants).filter((name) => !only.has(name)));
  }
  view.pin = new Set(saved.getAll("pin").filter((name) => byName.has(name)));
  for (const select of kept) {
    const value = saved.get(select.dataset.kept) ?? atFirst(select).value;
    if (value === select.value || ![...select.options].some((option) => option.value === value)) continue;
    select.value = value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const button of linear) {
    if (isPressed(button) !== saved.getAll("linear").includes(button.dataset.of)) button.click();
  }
  const zooms = new Map(saved.getAll("zoom").map((text) => text.split(":")));
  for (const drawing of drawings) {
    const zoom = zooms.get(chartOf(drawing)) ?? "";
    if (zoom === (drawing.dataset.zoom ?? "")) continue;
    drawing.dataset.zoom = zoom;
    drawing.dispatchEvent(new Event("zoom", { bubbles: true }));
  }
  view.at = saved.get("at") ?? "";
  const named = new Set(saved.getAll("turned").map(partOf));
  parts.forEach((isOpen, part) => turn(part, isOpen !== named.has(part)));
}

// isNew: whether the browser's way back leads to what the address was.
function writeFragment(isNew = false) {
  const saved = new URLSearchParams();
  if (view.sort) saved.set("sort", view.sort);
  if (view.sort) saved.set("dir", view.dir);
  if (view.filter) saved.set("filter", view.filter);
  const shown = namesOf(variants).filter((name) => !view.hide.has(name));
  if (view.hide.size <= shown.length) view.hide.forEach((name) => saved.append("hide", name));
  else (shown.length ? shown : [""]).forEach((name) => saved.append("only", name));
  view.pin.forEach((name) => saved.append("pin", name));
  const chosen = kept.filter((select) => select.value !== atFirst(select).value);
  chosen.forEach((select) => saved.set(select.dataset.kept, select.value));
  linear.filter(isPressed).forEach((button) => saved.append("linear", button.dataset.of));
  const zoomed = drawings.filter((drawing) => drawing.dataset.zoom);
  zoomed.forEach((drawing) => saved.append("zoom", `${chartOf(drawing)}:${drawing.dataset.zoom}`));
  if (view.at) saved.set("at", view.at);
  const itself = byName.get(view.at)?.details; // open anyway
  turned.forEach((part) => part !== itself && saved.append("turned", nameOf(part)));
  const text = saved.toString();
  history[isNew ? "pushState" : "replaceState"](null, "", text ? `#view:${text}` : location.pathname + location.search);
}
