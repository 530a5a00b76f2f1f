// The variants' lines as rows for Vega, how each looks, and where it leaves the chart.
const LISTED = 3; // names in a sentence

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

// The lines of a measure: v, and points with e, y and, over several seeds, low and high.
const cache = new Map();
function allLines(measure) {
  if (cache.has(measure)) return cache.get(measure);
  const lines = (measure === "survival" ? data.survival : data.lines).map((line) => {
    const [middle, low, high] = Array.isArray(line[measure]?.[0]) ? line[measure] : [line[measure] ?? []];
    const { v } = line;
    const points = line.e.map((e, place) => ({ v, e, y: middle[place], low: low?.[place], high: high?.[place] }));
    return { v, banded: Boolean(low), points: points.filter((point) => Number.isFinite(point.y)) };
  });
  cache.set(measure, lines.filter((line) => line.points.length));
  return cache.get(measure);
}

const linesOf = (measure) => allLines(measure).filter((line) => shown.has(line.v));

function listed(names) {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

// A triangle near the edge where a line leaves the chart, and the same in words.
function clipped(lines, [low, high], [bottom, top], dress) {
  const edges = [];
  const words = [];
  for (const { v, points } of lines) {
    for (const [out, edge, shape, extreme, word] of [
      [(y) => y > high, top, "triangle-up", Math.max, "up to"],
      [(y) => y < low, bottom, "triangle-down", Math.min, "down to"],
    ]) {
      const beyond = points.filter((point) => out(point.y));
      if (!beyond.length) continue;
      edges.push({ v, e: beyond[0].e, y: edge, shape, c: dress(v).c });
      words.push(`${v} (${word} ${short(extreme(...beyond.map((point) => point.y)))})`);
    }
  }
  return { edges, words: words.length ? `Beyond the edge, where a triangle is: ${listed(words)}.` : "" };
}

const banded = (points) => points.filter((point) => Number.isFinite(point.low));
