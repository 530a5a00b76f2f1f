// From a dozen lines on: of each value of the key that colours them, the median of its lines and a band.
const DOZEN = 12;
const NAMED = 8; // lines, or groups of them, that carry their names, at most

const keyOf = (figure) => (figure.groups.length ? colour.value : "");

function grouped({ name }, lines) {
  if (!colour?.value || lines.length < DOZEN || name === "survival") return [];
  const byValue = new Map();
  for (const line of lines) {
    const value = look.values[line.v];
    byValue.set(value, [...(byValue.get(value) ?? []), line]);
  }
  if (byValue.size > looks.length) return []; // no looks for so many
  return [...byValue].map(([value, its]) => ({ v: value, ...look.ofValue(value), points: middle(value, its) }));
}

// The median, and the quartiles as low and high, over the lines that reach an epoch.
function middle(value, lines) {
  const epochs = [...new Set(lines.flatMap((line) => line.points.map((point) => point.e)))].sort((a, b) => a - b);
  const of = lines.map((line) => sampled(line.points, epochs));
  return epochs.map((e, place) => {
    const values = of.map((one) => one[place]).filter(Number.isFinite).sort((a, b) => a - b);
    const [low, y, high] = [0.25, 0.5, 0.75].map((share) => between(values, share));
    return { v: value, e, y, low, high };
  });
}

// A line's values at the epochs, between its points on a straight line; NaN before its first and after its last.
function sampled(points, epochs) {
  let place = 0;
  return epochs.map((e) => {
    while (place < points.length - 1 && points[place].e < e) place += 1;
    const [before, after] = [points[Math.max(0, place - 1)], points[place]];
    if (e < points[0].e || e > after.e) return NaN;
    return e === after.e ? after.y : before.y + ((e - before.e) / (after.e - before.e)) * (after.y - before.y);
  });
}

// The quantile of sorted values, between two of them on a straight line.
function between(sorted, share) {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  return low + (at % 1) * (sorted[Math.ceil(at)] - low);
}
