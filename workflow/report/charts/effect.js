// One setting's effect. Its values lie from left to right, another setting has a panel per value, a third the colours.
const choice = document.getElementById("effect-of");
let effect; // the view of its chart

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
  const place = query("[data-chart=effect]");
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
