// A chart by epoch: drawn, zoomed, and filled with the lines that are shown.
const NAMED = 8; // lines that carry their names, at most
const BANDED = 4; // lines whose bands are drawn, at most; of more, the one that is pointed at
const MARGIN = { left: 72, top: 10, bottom: 44 }; // pixels, for axes; the same for all charts, so that they align

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

function width(text) {
  const context = (width.context ??= document.createElement("canvas").getContext("2d"));
  context.font = "12px system-ui, sans-serif";
  return context.measureText(text).width;
}

const isNamed = (figure, lines) => {
  return !colour?.value && lines.length > 0 && lines.length <= NAMED && figure.place.clientWidth >= 420;
};

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
  query(".beyond", figure.place.closest("figure")).textContent = words;
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
  names.forEach((label, place) => (label.at = Math.max(label.at, (names[place - 1]?.at ?? -15) + 15)));
  names.reverse().forEach((label, place) => {
    label.at = Math.min(label.at, place ? names[place - 1].at - 15 : height);
  });
  names.forEach((label) => (label.at = scale.invert(label.at)));
  return view.data("names", names).runAsync();
}
