// What the pointer reads in a chart by epoch.
const LINKED = 30; // lines, at most, of which the one pointed at stands out in every chart; more take too long to paint
const MEASURES = { wrong: "wrong training images", test: "wrong test images", loss: "loss", logit: "largest logit",
  survival: "seeds with a finite loss" };

// The nearest line at the pointer's epoch, or a cross under it.
function nearest(figure, event) {
  const box = query(".role-frame .background", figure.place).getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  if (x < -5 || y < -5 || x > box.width + 5 || y > box.height + 5) return null;
  const [across, down] = [figure.view.scale("x"), figure.view.scale("y")];
  const crosses = figure.name === "survival" ? [] : figure.crosses;
  const cross = crosses.find(({ e, y: at }) => Math.hypot(across(e) - x, down(at) - y) < 9);
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
  for (const each of figures.filter((other) => other === figure || other.lines.length <= LINKED)) {
    const its = name && look.of(name);
    const c = its === plain || each.groups.length ? "var(--text)" : its?.color;
    const d = each.groups.length ? plain.dash : its?.dash;
    const dress = (points) => points.map((row) => ({ ...row, c, d }));
    if (name !== each.pointed) {
      const points = dress((name && each.lines.find((line) => line.v === name)?.points) || []);
      each.view.data("near", points);
      if (each.lines.length > BANDED) each.view.data("bands", [...each.bands, ...banded(points)]);
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
    const target = event.buttons ? null : nearest(figure, event);
    if (target || figure.pointed) point(target?.v ?? null, figure, target?.at);
    tell(event, target && describe(figure, target));
  });
}

// What a tap has read goes with a tap elsewhere, and as the page scrolls.
function forget() {
  figures.filter((figure) => figure.pointed).forEach(leave);
  tell(null, "");
}
document.addEventListener("pointerdown", ({ target }) => target.closest("[data-chart]") || forget());
document.addEventListener("scroll", () => tip.hidden || forget(), { passive: true });
