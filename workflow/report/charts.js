// The charts: rows for Vega out of the page's data, their colours and limits, what the pointer reads, files to take
// away. Draws the variants that the last event "shown" names; whoever changes what the page shows dispatches one.
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const { charts, looks, plain } = data;
const CLIPPED = new Set(["loss", "logit"]); // measures without a bound, of which one may flatten all others
const NAMED = 8; // lines that carry their names, at most
const BANDED = 4; // lines whose bands are drawn, at most; of more, the one that is pointed at
const LINKED = 30; // lines, at most, of which the one pointed at stands out in every chart; more take too long to paint
const LISTED = 3; // names in a sentence
const MEASURES = { wrong: "wrong training images", test: "wrong test images", loss: "loss", logit: "largest logit",
  survival: "seeds with a finite loss" };
const MARGIN = { left: 72, top: 10, bottom: 44 }; // pixels, for axes; the same for all charts, so that they align
const one = (selector, within = document) => within.querySelector(selector);
const figures = []; // of the charts by epoch: name, place, view, linear (asked for)
const colour = document.getElementById("colour");
const choice = document.getElementById("effect-of");
let shown = new Set(data.variants);
let effect; // the view of the chart of one setting's effect

const RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹";

// Numbers as axes and sentences have them: 0.01, 1,000, 3.2×10¹⁸.
function number(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 99_999.5) {
    return value.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "−");
  }
  const [digits, power] = value.toExponential(2).split("e");
  const raised = String(Number(power)).replace(/./g, (sign) => RAISED["-0123456789".indexOf(sign)]);
  const short = String(Number(digits)).replace("-", "−");
  return short === "1" ? `10${raised}` : short === "−1" ? `−10${raised}` : `${short}×10${raised}`;
}

const short = (value) => number(Number(value.toPrecision(4)));

// Round values in 1, 2, 5 steps; between two decades the same as on a linear axis.
function steps(low, high, most = 6) {
  const rough = (high - low) / most;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * [1, 2, 5, 10].find((times) => times * decade >= rough);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, Math.min(count, 50)) }, (_, place) => (first + place) * step);
}

// On a scale with decades: powers of ten, every nth where there are many, and 0.
function ticks(range, kind, bend, whole) {
  const values = kind === "linear" ? steps(...range) : decades(range, kind, bend);
  return whole ? values.filter(Number.isInteger) : values;
}

function decades([low, high], kind, bend) {
  const first = kind === "log" ? -46 : Math.round(Math.log10(bend));
  const powers = Array.from({ length: 40 - first }, (_, place) => 10 ** (first + place));
  const inside = powers.filter((value) => [value, -value].some((it) => it >= low && it <= high));
  if (inside.length < (kind === "log" ? 2 : 1)) return steps(low, high);
  const both = kind === "symlog" && low < 0 && high > 0;
  const every = Math.ceil(inside.length / (both ? 3 : 6));
  // Next to 0 there is no room for the first of many.
  let values = inside.filter((_, place) => place % every === 0 && (kind === "log" || every === 1 || place > 0));
  if (inside.length < 3) values = values.flatMap((value) => [value, 2 * value, 5 * value]);
  if (kind === "symlog") values = [...values.map((value) => -value).reverse(), 0, ...values];
  return values.filter((value) => value >= low && value <= high);
}

// Where a value is on a scale, and back.
const SCALES = {
  linear: { to: (y) => y, from: (y) => y },
  log: { to: Math.log10, from: (y) => 10 ** y },
  symlog: {
    to: (y, bend) => Math.sign(y) * Math.log10(1 + Math.abs(y) / bend),
    from: (y, bend) => Math.sign(y) * bend * (10 ** Math.abs(y) - 1),
  },
};

const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const median = (values) => quantile(values, 0.5);

// How a variant is drawn: its own look, or that of its value of the chosen key.
function looker(key) {
  const values = key ? data.keys[key] : Object.fromEntries(data.variants.map((name) => [name, name]));
  const places = new Map([...new Set(Object.values(values))].map((value, place) => [value, place]));
  const of = (value) => looks[places.get(value)] ?? plain;
  return { values, of: (name) => of(values[name]), ofValue: of };
}

let look = looker(colour?.value);

function swatch({ color, dash }) {
  const dashes = dash[1] ? dash.join(" ") : "";
  const icon = document.createElement("span");
  icon.innerHTML = `<svg class="swatch" viewBox="0 0 24 8" width="24" height="8" aria-hidden="true"><line x1="0" y1="4"
    x2="24" y2="4" stroke="${color}" stroke-width="3" stroke-dasharray="${dashes}"/></svg>`;
  return icon.firstChild;
}

function legend(list, entries) {
  list.replaceChildren(...entries.map(([name, its]) => {
    const entry = document.createElement("li");
    entry.append(swatch(its), name);
    return entry;
  }));
}

// The lines of a measure that are shown: v, and points with e, y and, over several seeds, low and high.
const cache = new Map();
function allLines(measure) {
  if (cache.has(measure)) return cache.get(measure);
  const found = (measure === "survival" ? data.survival : data.lines).map((line) => {
    const [middle, low, high] = Array.isArray(line[measure]?.[0]) ? line[measure] : [line[measure] ?? []];
    const { v } = line;
    const points = line.e.map((e, place) => ({ v, e, y: middle[place], low: low?.[place], high: high?.[place] }));
    return { v, banded: Boolean(low), points: points.filter((point) => Number.isFinite(point.y)) };
  });
  cache.set(measure, found.filter((line) => line.points.length));
  return cache.get(measure);
}

const linesOf = (measure) => allLines(measure).filter((line) => shown.has(line.v));

// Logarithmic, but for values that have no logarithm.
function scaleOf(figure, lines) {
  if (figure.linear || figure.name === "survival") return { kind: "linear", bend: 1 };
  if (figure.name !== "loss") return { kind: "symlog", bend: 1 };
  const values = lines.flatMap((line) => line.points.map((point) => point.y));
  if (values.every((value) => value > 0)) return { kind: "log", bend: 1 };
  const sizes = values.map(Math.abs).filter(Boolean);
  return { kind: "symlog", bend: 10 ** Math.floor(Math.log10(quantile(sizes, 0.05) ?? 1)) };
}

// From the smallest to the largest value, in the scale's own terms, without the extremes of a tenth of the lines at
// most, where they lie far off: beyond five times the usual distance from the median one, and four decades.
function limits(name, lines, { kind, bend }) {
  const to = (y) => SCALES[kind].to(y, bend);
  const lows = lines.map((line) => Math.min(...line.points.map((point) => to(point.y))));
  const highs = lines.map((line) => Math.max(...line.points.map((point) => to(point.y))));
  const fence = (values, sign) => {
    if (!CLIPPED.has(name)) return sign * Infinity;
    const middle = median(values);
    const usual = median(values.map((value) => Math.abs(value - middle)));
    const most = quantile(values.map((value) => sign * (value - middle)), 0.9);
    return middle + sign * Math.max(5 * usual, kind === "linear" ? 2 * Math.abs(middle) : 4, most);
  };
  const ends = lines.length ? [fence(lows, -1), fence(highs, 1)] : [0, 1];
  const fits = (value) => value >= ends[0] && value <= ends[1];
  const values = [...lines.flatMap((line) => line.points.flatMap((point) => {
    return (line.banded ? [point.low, point.high] : [point.y]).map(to).filter(fits);
  })), ...(kind === "log" ? [] : [0]), ...(name === "logit" ? [to(17)] : [])];
  let low = values.reduce((a, b) => Math.min(a, b), Infinity);
  let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) [low, high] = [0, 1];
  const room = (high - low || 1) * 0.04;
  const range = [low === 0 ? 0 : low - room, high + room];
  return range.map((value) => SCALES[kind].from(value, bend));
}

function listed(names) {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

// A triangle at the edge where a line leaves the chart, and the same in words.
function clipped(lines, [low, high]) {
  const edges = [];
  const words = [];
  for (const { v, points } of lines) {
    for (const [out, edge, shape, extreme, word] of [
      [(y) => y > high, high, "triangle-up", Math.max, "up to"],
      [(y) => y < low, low, "triangle-down", Math.min, "down to"],
    ]) {
      const beyond = points.filter((point) => out(point.y));
      if (!beyond.length) continue;
      edges.push({ v, e: beyond[0].e, y: edge, shape, c: look.of(v).color });
      words.push(`${v} (${word} ${short(extreme(...beyond.map((point) => point.y)))})`);
    }
  }
  return { edges, words: words.length ? `Beyond the edge, where a triangle is: ${listed(words)}.` : "" };
}

function width(text) {
  const context = (width.context ??= document.createElement("canvas").getContext("2d"));
  context.font = "12px system-ui, sans-serif";
  return context.measureText(text).width;
}

const isNamed = (figure, lines) => {
  return !colour?.value && lines.length > 0 && lines.length <= NAMED && figure.place.clientWidth >= 420;
};

const banded = (points) => points.filter((point) => Number.isFinite(point.low));

function update(figure) {
  const { name, view } = figure;
  const lines = linesOf(name);
  const range = limits(name, lines, figure.scale);
  figure.lines = lines;
  figure.pointed = null;
  const ended = data.crosses.filter(({ v }) => shown.has(v));
  // Where the line ends; at the top, where nothing was finite.
  const { to, from } = SCALES[figure.scale.kind];
  const [bottom, edge] = range.map((y) => to(y, figure.scale.bend));
  const top = from(edge - 0.03 * (edge - bottom), figure.scale.bend);
  const height = (cross) => Math.max(range[0], Math.min(top, cross[name] ?? top));
  figure.crosses = ended.map((cross) => ({ ...cross, y: height(cross), c: look.of(cross.v).color }));
  const { edges, words } = clipped(lines, range);
  const drawn = lines.map((line) => line.points.map((point) => {
    return { ...point, c: look.of(line.v).color, d: look.of(line.v).dash };
  }));
  figure.named = isNamed(figure, lines);
  const right = figure.named ? Math.min(200, Math.max(...lines.map((line) => width(line.v)))) + 12 : 10;
  const last = Math.max(1, ...[...lines.map((line) => line.points.at(-1)), ...figure.crosses].map((point) => point.e));
  view
    .signal("limits", range)
    .signal("epochs", [-0.015 * last, 1.015 * last]) // room for a cross
    .data("lines", drawn.flat())
    .data("bands", lines.length <= BANDED ? banded(drawn.flat()) : [])
    .data("crosses", name === "survival" ? [] : figure.crosses)
    .data("edges", edges)
    .data("names", [])
    .data("near", [])
    .data("dot", [])
    .padding({ ...MARGIN, right })
    .width(Math.max(100, figure.place.clientWidth - MARGIN.left - right));
  one(".beyond", figure.place.closest("figure")).textContent = words;
  return view.runAsync().then(() => nameLines(figure));
}

// Names at the ends of their lines, none upon another.
function nameLines(figure) {
  if (!figure.named) return;
  const { view } = figure;
  const scale = view.scale("y");
  const height = view.height();
  const names = figure.lines.map((line) => {
    const { e, y } = line.points.at(-1);
    const at = Math.max(0, Math.min(height, scale(y)));
    return { v: line.v, e, y: scale.invert(at), c: look.of(line.v).color, at };
  });
  names.sort((a, b) => a.at - b.at);
  names.forEach((it, place) => (it.at = Math.max(it.at, (names[place - 1]?.at ?? -15) + 15)));
  names.reverse().forEach((it, place) => {
    it.at = Math.min(it.at, place ? names[place - 1].at - 15 : height);
  });
  names.forEach((it) => (it.at = scale.invert(it.at)));
  return view.data("names", names).runAsync();
}

// The chart's parts take their colours from the page's style, so that they follow its light and dark.
const config = {
  background: null,
  font: "system-ui, sans-serif",
  axis: {
    labelColor: "var(--quiet)",
    titleColor: "var(--quiet)",
    gridColor: "var(--line)",
    domainColor: "var(--line)",
    tickColor: "var(--line)",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 500,
  },
  header: { labelColor: "var(--text)", labelFontSize: 12, labelFontWeight: 600 },
  view: { stroke: null },
  rule: { color: "var(--quiet)" },
  text: { color: "var(--quiet)", fontSize: 12 },
};
const expressionFunctions = { ticks, tickText: number };

async function embed(place, spec) {
  const tooltip = (_, event, item, value) => tell(event, value);
  const options = { actions: false, renderer: "svg", config, expressionFunctions, tooltip };
  const { view } = await vegaEmbed(place, spec, options);
  one("svg", place).setAttribute("aria-hidden", "true"); // the place is an image with a name
  return view;
}

const EMPTY = Object.fromEntries(
  ["lines", "bands", "crosses", "edges", "names", "near", "dot", "runs"].map((name) => [name, []]));

// Anew, since a scale cannot change its kind.
async function drawCurve(figure) {
  figure.view?.finalize();
  figure.scale = scaleOf(figure, linesOf(figure.name));
  const spec = structuredClone(charts[figure.name]);
  const { kind, bend } = figure.scale;
  Object.assign(spec.layer[0].encoding.y.scale, { type: kind }, kind === "symlog" ? { constant: bend } : {});
  const its = { kind, bend, whole: !CLIPPED.has(figure.name) };
  spec.params.filter(({ name }) => name in its).forEach((param) => (param.value = its[param.name]));
  figure.view = await embed(figure.place, { ...spec, datasets: EMPTY });
  const relabel = () => requestAnimationFrame(() => nameLines(figure));
  figure.view.addSignalListener("zoom_e", relabel).addSignalListener("zoom_y", relabel);
  figure.view.addEventListener("pointermove", (event) => read(figure, event));
  figure.view.addEventListener("dblclick", () => reset(figure));
  await update(figure);
}

function reset({ view }) {
  view.signal("zoom_e", null).signal("zoom_y", null).runAsync();
}

// Makes the epochs that are shown more or fewer by a factor.
function zoom({ view }, factor) {
  const [low, high] = view.scale("x").domain();
  const [middle, half] = [(low + high) / 2, ((high - low) / 2) * factor];
  // Vega knows the two only together.
  view.signal("zoom_e", [middle - half, middle + half]).signal("zoom_y", view.scale("y").domain()).runAsync();
}

// The nearest line at the pointer's epoch, or a cross under it.
function nearest(figure, event) {
  const box = one(".role-frame .background", figure.place).getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  if (x < -5 || y < -5 || x > box.width + 5 || y > box.height + 5) return null;
  const [across, down] = [figure.view.scale("x"), figure.view.scale("y")];
  const crosses = figure.name === "survival" ? [] : figure.crosses;
  const cross = crosses.find((it) => Math.hypot(across(it.e) - x, down(it.y) - y) < 9);
  if (cross) return { v: cross.v, cross };
  const epoch = across.invert(x);
  let best = null;
  for (const { v, points } of figure.lines) {
    const after = points.findIndex((point) => point.e >= epoch);
    const place = after < 0 ? points.length - 1 : after;
    const before = points[Math.max(0, place - 1)];
    const closest = figure.name === "survival" ? after !== 0 && points[place].e > epoch
      : epoch - before.e < points[place].e - epoch;
    const at = closest ? before : points[place];
    const middle = Math.max(0, Math.min(box.height, down(at.y)));
    const far = Math.hypot(figure.name === "survival" ? 0 : across(at.e) - x, middle - y);
    if (!best || far < best.far) best = { v, at, far };
  }
  return best;
}

const tip = document.createElement("div");
tip.id = "tip";
tip.hidden = true;
document.body.append(tip);

function tell(event, text) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const { offsetWidth, offsetHeight } = tip;
  const left = event.clientX + 14 + offsetWidth > innerWidth ? event.clientX - 14 - offsetWidth : event.clientX + 14;
  const top = event.clientY + 14 + offsetHeight > innerHeight ? event.clientY - 14 - offsetHeight : event.clientY + 14;
  tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
}

function describe(figure, { v, at, cross }) {
  const setting = colour?.value ? `\n${colour.value}: ${data.keys[colour.value][v]}` : "";
  if (cross) {
    const seed = data.runs.filter((run) => run.v === v).length > 1 ? `, seed ${cross.s}` : "";
    return `${v}${seed}${setting}\nfirst non-finite loss at epoch ${cross.e}`;
  }
  const values = Object.entries(MEASURES).flatMap(([measure, title]) => {
    if ((measure === "survival") !== (figure.name === "survival")) return [];
    const point = allLines(measure).find((line) => line.v === v)?.points.find(({ e }) => e === at.e);
    if (!point) return [];
    const band = Number.isFinite(point.low) && point.low < point.high;
    return `${title} ${short(point.y)}${band ? ` (${short(point.low)} to ${short(point.high)})` : ""}`;
  });
  return [v + setting, `epoch ${at.e.toLocaleString("en")}`, ...values].join("\n");
}

// The line that is pointed at stands out.
function point(name, figure, at) {
  for (const each of figures.filter((it) => it === figure || it.lines.length <= LINKED)) {
    const its = name && look.of(name);
    const c = its === plain ? "var(--text)" : its?.color;
    const dress = (points) => points.map((it) => ({ ...it, c, d: its.dash }));
    if (name !== each.pointed) {
      const points = dress((name && each.lines.find((it) => it.v === name)?.points) || []);
      each.view.data("near", points);
      if (each.lines.length > BANDED) each.view.data("bands", banded(points));
    }
    const dots = each === figure && at ? dress([at]) : [];
    if (name !== each.pointed || each === figure) each.view.data("dot", dots).runAsync();
    each.pointed = name;
  }
}

let frame;
function leave(figure) {
  cancelAnimationFrame(frame);
  point(null, figure);
  tell(null, "");
}

function read(figure, event) {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    const found = event.buttons ? null : nearest(figure, event);
    if (found || figure.pointed) point(found?.v ?? null, figure, found?.at);
    tell(event, found && describe(figure, found));
  });
}

// One setting's effect. Its values lie from left to right, another setting has a panel per value, a third the colours.
function effectRows() {
  const key = choice.value;
  const others = Object.keys(data.keys).filter((other) => other !== key);
  const [panel, tint] = others;
  const hues = looker(tint || undefined);
  const text = (name, from) => (from ? data.keys[from][name] : "");
  const rows = data.runs.filter((run) => shown.has(run.v)).map((run) => ({
    ...run,
    x: text(run.v, key),
    panel: panel ? `${panel} ${text(run.v, panel)}` : "",
    c: tint ? hues.of(run.v).color : looks[0].color,
    g: others.map((other) => text(run.v, other)).join(),
    o: text(run.v, tint),
    tip: `${run.v}, seed ${run.s}\n${run.w === null ? "diverged" : `${short(run.w)} wrong test images`}`,
  }));
  if (rows.every((row) => row.x !== "" && !isNaN(row.x))) rows.sort((a, b) => a.x - b.x);
  return { rows, tint, hues };
}

function updateEffect() {
  const { rows, tint, hues } = effectRows();
  const values = tint ? [...new Set(rows.map((row) => data.keys[tint][row.v]))] : [];
  legend(document.getElementById("effect-legend"), values.map((value) => [`${tint} ${value}`, hues.ofValue(value)]));
  const most = Math.max(1, ...rows.map((row) => row.w ?? 0));
  return effect.signal("limits", [0, most * 1.3]).data("runs", rows).resize().runAsync();
}

async function drawEffect() {
  const place = one("[data-chart=effect]");
  if (!place) return;
  effect?.finalize();
  const spec = structuredClone(charts.effect);
  const { rows } = effectRows();
  const panels = new Set(rows.map((row) => row.panel)).size;
  const order = [...new Set(rows.map((row) => row.x))];
  spec.spec.layer.forEach(({ encoding }) => (encoding.x.sort = order));
  const room = place.clientWidth - 70;
  spec.columns = Math.max(1, Math.min(panels, Math.floor(room / 200)));
  spec.spec.width = Math.min(420, Math.floor(room / spec.columns) - 20);
  effect = await embed(place, { ...spec, datasets: EMPTY });
  await updateEffect();
}

// The legend follows what is shown; lines that carry their names need none. Below it, what has no line at all.
function updateLegend() {
  const lined = new Set(allLines("loss").map((line) => line.v));
  const never = data.variants.filter((name) => shown.has(name) && !lined.has(name));
  document.getElementById("never").textContent = never.length ? `Not finite from the start: ${listed(never)}.` : "";
  const names = data.variants.filter((name) => shown.has(name));
  const values = colour?.value ? [...new Set(names.map((name) => look.values[name]))] : names;
  const named = figures.length > 0 && figures.every((figure) => figure.named || figure.name === "survival");
  const entries = named || values.length > looks.length ? [] : values.map((value) => [value, look.ofValue(value)]);
  legend(document.getElementById("legend"), entries);
}

// One chart at a time, so that the page answers in between.
let turn = 0;
async function redraw() {
  const mine = ++turn;
  for (const figure of figures) {
    await new Promise((done) => setTimeout(done));
    if (mine !== turn) return;
    const { kind, bend } = scaleOf(figure, linesOf(figure.name));
    if (kind === figure.scale.kind && bend === figure.scale.bend) await update(figure);
    else await drawCurve(figure);
  }
  if (effect) await updateEffect();
  updateLegend();
}

let waiting;
function soon(work, after = 30) {
  clearTimeout(waiting);
  waiting = setTimeout(work, after);
}

let stale = false; // what is shown changed while the first charts were drawn
document.addEventListener("shown", (event) => {
  shown = new Set(event.detail.variants);
  if (document.documentElement.dataset.drawn) soon(redraw);
  else stale = figures.length > 0;
});

colour?.addEventListener("change", () => {
  look = looker(colour.value);
  for (const line of document.querySelectorAll("[data-variant] .swatch line")) {
    const { color, dash } = look.of(line.closest("[data-variant]").dataset.variant);
    line.setAttribute("stroke", color);
    line.setAttribute("stroke-dasharray", dash[1] ? dash.join(" ") : "");
  }
  redraw();
});
choice?.addEventListener("change", drawEffect);
addEventListener("resize", () => soon(() => redraw().then(drawEffect), 200));

// A file is for paper: dark on white, whatever the page is.
const PAPER = { quiet: "#444c54", line: "#d5dbe0", text: "#1d2125", page: "#fff" };

async function asSvg(view) {
  const svg = (await view.toSVG()).replace(/var\(--(\w+)\)/g, (_, name) => PAPER[name]);
  return svg.replace(/(<svg[^>]*>)/, '$1<rect width="100%" height="100%" fill="#fff"/>');
}

async function asPng(view) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await asSvg(view))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth * 2, image.naturalHeight * 2];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

function save(address, name) {
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name }).click();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".tools button");
  if (!button) return;
  const name = one("[data-chart]", button.closest("figure")).dataset.chart;
  const figure = figures.find((it) => it.name === name);
  const view = figure?.view ?? effect;
  const acts = {
    svg: async () => save(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(await asSvg(view))}`, `${name}.svg`),
    png: async () => save(await asPng(view), `${name}.png`),
    closer: () => zoom(figure, 0.5),
    wider: () => zoom(figure, 2),
    reset: () => reset(figure),
    linear: async () => {
      const isLinear = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", isLinear);
      if (!figure) return; // it will be drawn so
      figure.linear = isLinear;
      await drawCurve(figure);
      updateLegend();
    },
  };
  await acts[button.dataset.does]();
});

// Only when every chart that the page asks for is there is it drawn.
async function draw() {
  const places = [...document.querySelectorAll("[data-chart]")];
  const lacking = places.map((place) => place.dataset.chart).filter((name) => !charts[name]);
  if (lacking.length) throw new Error(`no specification of ${lacking}`);
  for (const place of places.filter((it) => it.dataset.chart !== "effect")) {
    const isLinear = one("[data-does=linear]", place.closest("figure"))?.getAttribute("aria-pressed") === "true";
    const figure = { name: place.dataset.chart, place, linear: isLinear, lines: [], crosses: [] };
    figures.push(figure);
    place.addEventListener("pointerleave", () => leave(figure));
    await drawCurve(figure);
  }
  await drawEffect();
  updateLegend();
  if (stale) await redraw();
  if (!places.every((place) => one("svg", place))) throw new Error("a chart was not drawn");
  document.documentElement.dataset.drawn = "yes";
}

// After the scripts that say what is shown.
document.addEventListener("DOMContentLoaded", draw);
})();
