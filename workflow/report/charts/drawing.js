// When the charts are drawn: at first, and whenever what is shown, the colours or the width change; their buttons.

// The legend follows what is shown; lines that carry their names need none. Below it, what has no line at all.
function updateLegend() {
  const lined = new Set(allLines("loss").map((line) => line.v));
  const never = data.variants.filter((name) => shown.has(name) && !lined.has(name));
  document.getElementById("never").textContent = never.length ? `Not finite from the start: ${listed(never)}.` : "";
  const names = data.variants.filter((name) => shown.has(name));
  const values = colour?.value ? [...new Set(names.map((name) => look.values[name]))] : names;
  const curves = figures.filter((figure) => figure.name !== "survival");
  const [key] = curves.map(keyOf).filter(Boolean);
  // Names at the lines say it all, unless several lines have one colour.
  const named = curves.length > 0 && curves.every((figure) => figure.named) && (key || !colour?.value);
  const entries = named || values.length > looks.length ? [] : values.map((value) => [value, look.ofValue(value)]);
  legend(document.getElementById("legend"), entries);
  document.getElementById("grouping").textContent = key
    ? `Thick: the median of the variants with one ${key}. Its band: the middle half of them, from quartile to ` +
      "quartile. Thin and grey: the single variants. A variant counts from its first to its last finite value: no " +
      "longer once it has diverged or ended. Of fewer than a dozen variants, each has a line of its own."
    : "";
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

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".tools button");
  if (!button) return;
  const name = query("[data-chart]", button.closest("figure")).dataset.chart;
  const figure = figures.find((each) => each.name === name);
  const view = figure?.view ?? effect;
  const acts = {
    svg: async () => {
      const text = encodeURIComponent(await asSvg(view, around(figure)));
      save(`data:image/svg+xml;charset=utf-8,${text}`, `${name}.svg`);
    },
    png: async () => save(await asPng(view, around(figure)), `${name}.png`),
    closer: () => zoom(figure, 0.5),
    wider: () => zoom(figure, 2),
    reset: () => zoomTo(figure, null),
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
  for (const place of places.filter(({ dataset }) => dataset.chart !== "effect")) {
    const isLinear = query("[data-does=linear]", place.closest("figure"))?.getAttribute("aria-pressed") === "true";
    const figure = { name: place.dataset.chart, place, linear: isLinear, lines: [], groups: [], crosses: [] };
    figures.push(figure);
    place.addEventListener("pointerleave", () => leave(figure));
    place.addEventListener("click", (event) => read(figure, event)); // a tap reads what a hover does
    await drawCurve(figure);
  }
  await drawEffect();
  updateLegend();
  if (stale) await redraw();
  if (!places.every((place) => query("svg", place))) throw new Error("a chart was not drawn");
  document.documentElement.dataset.drawn = "yes";
}

// After the scripts that say what is shown.
document.addEventListener("DOMContentLoaded", draw);
