// Small curves of pinned variants, side by side: those of one measure have the same axes.
const SPARK = { width: 320, height: 96, left: 48, right: 8, top: 8, bottom: 18 };
const MEASURES = { wrong: "wrong training images (log)", loss: "training loss (log)", logit: "largest logit" };
const curves = () => (curves.read ??= JSON.parse(byId("data").textContent)); // megabytes of many variants: when needed

// Three digits; 0.000012 as 1.2e−5, which fits beside the axis.
function short(value) {
  const isSmall = value !== 0 && Math.abs(value) < 1e-3;
  const isLarge = Math.abs(value) >= 1e6;
  const text = isSmall || isLarge ? value.toExponential(1) : Number(value.toPrecision(3)).toLocaleString("en");
  return text.replaceAll("-", "−").replace("+", "");
}

function drawn(tag, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  parent?.append(element);
  return element;
}

// Points [epoch, value, low, high]; over several seeds low and high are there.
function pointsOf(name, measure) {
  const line = curves().lines.find(({ v }) => v === name);
  if (!line?.[measure]) return [];
  const [middle, low = middle, high = middle] = Array.isArray(line[measure][0]) ? line[measure] : [line[measure]];
  const points = line.e.map((e, place) => [e, middle[place], low[place], high[place]]);
  return points.filter(([, ...values]) => values.every(Number.isFinite));
}

// Of each variant the curve of a measure; null where none has one.
function sparks(names, measure) {
  const lines = names.map((name) => pointsOf(name, measure));
  const ended = names.map((name) => curves().crosses.filter(({ v }) => v === name));
  const isLog = measure === "loss" && lines.flat().every(([, , low]) => low > 0);
  const values = lines.flat().flatMap(([, , low, high]) => [low, high]);
  if (!values.length) return null;
  const scale = { loss: isLog ? Math.log10 : (value) => value, wrong: Math.log1p, logit: (value) => value }[measure];
  const [bottom, top] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const last = [...lines.flat().map(([e]) => e), ...ended.flat().map(({ e }) => e)].reduce((a, b) => Math.max(a, b));
  const { width, height, left, right } = SPARK;
  const floor = height - SPARK.bottom;
  const x = (e) => left + (e / Math.max(1, last)) * (width - left - right);
  const span = scale(top) - scale(bottom) || 1;
  const y = (value) => floor - ((scale(value) - scale(bottom)) / span) * (floor - SPARK.top);
  const path = (points, place) => points.map((point) => `${x(point[0]).toFixed(1)} ${y(point[place]).toFixed(1)}`);
  return names.map((name, place) => {
    const label = `${MEASURES[measure]} of ${name} by epoch`;
    const svg = drawn("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    drawn("line", { x1: left, x2: width - right, y1: floor, y2: floor }, svg);
    const say = (text, at) => (drawn("text", at, svg).textContent = text);
    say(short(top), { x: left - 6, y: SPARK.top + 6, "text-anchor": "end" });
    if (top !== bottom) say(short(bottom), { x: left - 6, y: floor, "text-anchor": "end" });
    say("0", { x: left, y: height - 4 });
    say(`epoch ${last}`, { x: width - right, y: height - 4, "text-anchor": "end" });
    const points = lines[place];
    if (points.some(([, , low, high]) => low !== high)) {
      const edge = [...path(points, 2), ...path(points, 3).reverse()];
      drawn("path", { class: "band", d: `M${edge.join("L")}Z` }, svg);
    }
    if (points.length) drawn("path", { d: `M${path(points, 1).join("L")}h0.01` }, svg);
    for (const cross of ended[place]) {
      const at = Number.isFinite(cross[measure]) ? Math.min(top, Math.max(bottom, cross[measure])) : top;
      const mark = drawn("text", { class: "cross", x: x(cross.e), y: y(isLog ? at || bottom : at) }, svg);
      mark.textContent = "✕";
    }
    return svg;
  });
}
