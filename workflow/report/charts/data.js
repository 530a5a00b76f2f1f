// What the charts draw: the page's data, and the variants that the last event "shown" names; whoever changes what the
// page shows dispatches one.
const data = JSON.parse(document.getElementById("data").textContent);
const { charts, looks, plain } = data;
const colour = document.getElementById("colour");
const figures = []; // of the charts by epoch: name, place, view, linear (asked for)
let shown = new Set(data.variants);

const query = (selector, within = document) => within.querySelector(selector);
