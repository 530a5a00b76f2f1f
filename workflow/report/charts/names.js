// The names at the ends of lines, beside the plotting area, and that of the largest logit's limit, within it.
const APART = 15; // pixels between two names
const TO_NAME = 40; // pixels from the plotting area to a name: a leader, and a piece of its line

function width(text) {
  const context = (width.context ??= document.createElement("canvas").getContext("2d"));
  context.font = "12px system-ui, sans-serif";
  return context.measureText(text).width;
}

// Of a name that is too long, its two ends.
function cut(name, room) {
  if (width(name) <= room) return name;
  let kept = name.length;
  const parts = () => `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(name.length - Math.floor(kept / 2))}`;
  while (kept > 2 && width(parts()) > room) kept -= 1;
  return parts();
}

const ended = (figure) => (figure.groups.length ? figure.groups : figure.lines);
const isNamed = (figure) => {
  const { length } = ended(figure);
  return length > 0 && length <= NAMED && figure.place.clientWidth >= 420;
};
const roomForName = ({ place }) => Math.min(200, 0.3 * place.clientWidth);

function nameLines(figure) {
  const { view } = figure;
  if (figure.name === "logit") view.data("limit", limitOf(view));
  view.data("names", figure.named ? namesOf(figure) : []);
  return view.runAsync();
}

// At the height at which its line leaves the plotting area, or ends in it; none upon another.
function namesOf(figure) {
  const [across, down, height] = [figure.view.scale("x"), figure.view.scale("y"), figure.view.height()];
  const [, edge] = across.domain();
  const names = ended(figure).map((line) => {
    const seen = line.points.filter((point) => point.e <= edge);
    const { e, y } = seen.at(-1) ?? line.points[0];
    const at = Math.max(0, Math.min(height, down(y)));
    const { color, dash } = line.color ? line : look.of(line.v);
    // Only a line that comes to the edge has a leader from there.
    const from = across(edge) - across(e) < 12 || seen.length < line.points.length ? at : NaN;
    return { t: cut(line.v, roomForName(figure)), c: color, d: dash, from, at };
  });
  names.sort((a, b) => a.at - b.at);
  names.forEach((label, place) => (label.at = Math.max(label.at, (names[place - 1]?.at ?? -APART) + APART)));
  names.reverse().forEach((label, place) => {
    label.at = Math.min(label.at, place ? names[place - 1].at - APART : height);
  });
  return names.map((label) => {
    const from = Number.isNaN(label.from) ? label.at : label.from;
    return { ...label, y: down.invert(from), at: down.invert(label.at), led: !Number.isNaN(label.from) };
  });
}

// Below its line where there is no room above it.
function limitOf(view) {
  const down = view.scale("y");
  const at = down(data.limit);
  if (!(at >= 0 && at <= view.height())) return [];
  return [{ y: data.limit, at: down.invert(at < 20 ? at + 11 : at - 10), text: "float32: ŷ is exactly 1" }];
}
