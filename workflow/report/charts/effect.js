// One setting's effect, on variants that are alike but for it. Its values lie from left to right, another setting has a
// panel per value, a third the colours.
const choice = document.getElementById("effect-of");
const LABEL = 28; // pixels that a value's label needs, at least
let effect; // the view of its chart

// The names of those that are shown and of which others have another value of the key, and are alike otherwise.
function comparable(key, others) {
  const alike = new Map();
  const likeness = (name) => JSON.stringify(others.map((other) => data.keys[other][name]));
  for (const name of data.variants.filter((one) => shown.has(one))) {
    alike.set(likeness(name), [...(alike.get(likeness(name)) ?? []), name]);
  }
  return [...alike.values()].filter((names) => new Set(names.map((name) => data.keys[key][name])).size > 1).flat();
}

function effectRows() {
  const key = choice.value;
  const others = Object.keys(data.keys).filter((other) => other !== key);
  const names = new Set(comparable(key, others));
  const [panel, tint] = others.filter((other) => new Set([...names].map((name) => data.keys[other][name])).size > 1);
  const hues = looker(tint);
  const text = (name, from) => (from ? data.keys[from][name] : "");
  const rows = data.runs.filter((run) => names.has(run.v)).map((run) => ({
    ...run,
    x: text(run.v, key),
    panel: panel ? `${panel} ${text(run.v, panel)}` : "",
    c: tint ? hues.of(run.v).color : looks[0].color,
    g: others.map((other) => text(run.v, other)).join(),
    o: text(run.v, tint),
    tip: `${run.v}, seed ${run.s}\n${run.w === null ? "diverged" : `${short(run.w)} wrong test images`}`,
  }));
  if (rows.every((row) => row.x !== "" && !isNaN(row.x))) rows.sort((a, b) => a.x - b.x);
  const values = tint ? [...new Set(rows.map((row) => data.keys[tint][row.v]))] : [];
  const entries = values.map((value) => [`${tint} ${value}`, { ...hues.ofValue(value), dash: plain.dash }]);
  return { rows, entries };
}

function updateEffect() {
  const { rows, entries } = effectRows();
  legend(document.getElementById("effect-legend"), entries);
  document.getElementById("effect-none").textContent = rows.length ? ""
    : `No two of the variants that are shown differ in ${choice.value} alone.`;
  const most = Math.max(1, ...rows.map((row) => row.w ?? 0));
  return effect.signal("limits", [0, most * 1.3]).data("runs", rows).resize().runAsync();
}

async function drawEffect() {
  const place = query("[data-chart=effect]");
  if (!place) return;
  effect?.finalize();
  const spec = structuredClone(charts.effect);
  const { rows } = effectRows();
  const panels = new Set(rows.map((row) => row.panel)).size || 1;
  const order = [...new Set(rows.map((row) => row.x))];
  spec.spec.layer.forEach(({ encoding }) => (encoding.x.sort = order));
  const room = place.clientWidth - 70;
  spec.columns = Math.max(1, Math.min(panels, Math.floor(room / Math.max(200, LABEL * order.length + 20))));
  spec.spec.width = Math.min(420, Math.floor(room / spec.columns) - 20);
  effect = await embed(place, { ...spec, datasets: EMPTY });
  await updateEffect();
}

// A tap tells of the model that is nearest to it.
query("[data-chart=effect]")?.addEventListener("click", (event) => {
  const far = (dot) => {
    const { x, y, width: across, height } = dot.getBoundingClientRect();
    return Math.hypot(x + across / 2 - event.clientX, y + height / 2 - event.clientY);
  };
  const dots = [...event.currentTarget.querySelectorAll(".mark-symbol path")].sort((a, b) => far(a) - far(b));
  const near = dots.length && far(dots[0]) < 22;
  tell(event, near ? dots[0].__data__.datum.tip : "");
});
