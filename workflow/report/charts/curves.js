// A chart by epoch: drawn, and filled with the lines that are shown.
const BANDED = 4; // lines whose bands are drawn, at most; of more, the one that is pointed at
const MARGIN = { left: 72, top: 10, bottom: 44 }; // pixels, for axes; the same for all charts, so that they align
const THIN = { c: "var(--quiet)", d: [1, 0], w: 0.8, o: 0.25 };

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
  figure.view.addEventListener("pointermove", (event) => read(figure, event));
  figure.view.addEventListener("dblclick", () => zoomTo(figure, null));
  await update(figure);
  await zoomAsAsked(figure);
  const zoomed = () => requestAnimationFrame(() => nameLines(figure).then(() => keepZoom(figure)));
  figure.view.addSignalListener("zoom_e", zoomed).addSignalListener("zoom_y", zoomed);
}

const dressOf = (v) => ({ c: look.of(v).color, d: look.of(v).dash, w: 1.6, o: 1 });

function update(figure) {
  const { name, view } = figure;
  const lines = linesOf(name);
  const range = limits(name, lines, figure.scale);
  figure.lines = lines;
  figure.groups = grouped(figure, lines);
  figure.pointed = null;
  const dress = figure.groups.length ? () => THIN : dressOf;
  // Where the line ends; at the top, where nothing was finite.
  const { to, from } = SCALES[figure.scale.kind];
  const [bottom, edge] = range.map((y) => to(y, figure.scale.bend));
  const inside = (share) => from(bottom + share * (edge - bottom), figure.scale.bend);
  const height = (cross) => Math.max(range[0], Math.min(inside(0.97), cross[name] ?? inside(0.97)));
  figure.crosses = name === "survival" ? [] : data.crosses.filter(({ v }) => shown.has(v)).map((cross) => {
    return { ...cross, y: height(cross), c: look.of(cross.v).color };
  });
  const { edges, words } = clipped(lines, range, [inside(0.02), inside(0.98)], dress);
  // A line of one point is a dot, or the cross that stands there.
  const crossed = new Set(figure.crosses.map(({ v }) => v));
  const dots = lines.filter(({ v, points }) => points.length === 1 && !crossed.has(v)).map(({ v, points }) => {
    return { ...points[0], shape: "circle", c: dress(v).c };
  });
  const single = lines.flatMap(({ v, points }) => points.map((point) => ({ ...point, ...dress(v) })));
  const groups = figure.groups.flatMap(({ v, color, dash, points }) => {
    // No variant's name has a space.
    return points.map((point) => ({ ...point, v: `the ${v}`, c: color, d: dash, w: 2.6, o: 1 }));
  });
  figure.bands = groups.length ? groups : lines.length <= BANDED ? banded(single) : [];
  figure.named = isNamed(figure);
  const names = ended(figure).map((line) => width(cut(line.v, roomForName(figure))));
  const right = figure.named ? Math.max(...names) + TO_NAME + 4 : 10;
  const last = Math.max(1, ...[...lines.map((line) => line.points.at(-1)), ...figure.crosses].map((point) => point.e));
  view
    .signal("limits", range)
    .signal("epochs", [-0.015 * last, 1.015 * last]) // room for a cross
    .data("lines", [...single, ...groups])
    .data("bands", figure.bands)
    .data("crosses", figure.crosses)
    .data("edges", [...edges, ...dots])
    .data("names", [])
    .data("near", [])
    .data("dot", [])
    .padding({ ...MARGIN, right })
    .width(Math.max(100, figure.place.clientWidth - MARGIN.left - right));
  query(".beyond", figure.place.closest("figure")).textContent = words;
  return view.runAsync().then(() => nameLines(figure));
}
