// Numbers as text; the scale of a chart's values, its ticks and its limits.
const CLIPPED = new Set(["loss", "logit"]); // measures without a bound, of which one may flatten all others
const RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹";

// Numbers as axes and sentences have them: 0.01, 1,000, 3.2×10¹⁸.
function number(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 99_999.5) {
    return value.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "−");
  }
  const [digits, power] = value.toExponential(2).split("e");
  const raised = String(Number(power)).replace(/./g, (sign) => RAISED["-0123456789".indexOf(sign)]);
  const short = String(Number(digits)).replace("-", "−");
  return short === "1" ? `10${raised}` : short === "−1" ? `−10${raised}` : `${short}×10${raised}`;
}

const short = (value) => number(Number(value.toPrecision(4)));

// Round values in 1, 2, 5 steps; between two decades the same as on a linear axis.
function steps(low, high, most = 6) {
  const rough = (high - low) / most;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * [1, 2, 5, 10].find((times) => times * decade >= rough);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, Math.min(count, 50)) }, (_, place) => (first + place) * step);
}

// On a scale with decades: powers of ten, every nth where there are many, and 0.
function ticks(range, kind, bend, whole) {
  const values = kind === "linear" ? steps(...range) : decades(range, kind, bend);
  return whole ? values.filter(Number.isInteger) : values;
}

function decades([low, high], kind, bend) {
  const first = kind === "log" ? -46 : Math.round(Math.log10(bend));
  const powers = Array.from({ length: 40 - first }, (_, place) => 10 ** (first + place));
  const inside = powers.filter((value) => [value, -value].some((signed) => signed >= low && signed <= high));
  if (inside.length < (kind === "log" ? 2 : 1)) return steps(low, high);
  const both = kind === "symlog" && low < 0 && high > 0;
  const every = Math.ceil(inside.length / (both ? 3 : 6));
  // Next to 0 there is no room for the first of many.
  let values = inside.filter((_, place) => place % every === 0 && (kind === "log" || every === 1 || place > 0));
  if (inside.length < 3) values = values.flatMap((value) => [value, 2 * value, 5 * value]);
  if (kind === "symlog") values = [...values.map((value) => -value).reverse(), 0, ...values];
  return values.filter((value) => value >= low && value <= high);
}

// Where a value is on a scale, and back.
const SCALES = {
  linear: { to: (y) => y, from: (y) => y },
  log: { to: Math.log10, from: (y) => 10 ** y },
  symlog: {
    to: (y, bend) => Math.sign(y) * Math.log10(1 + Math.abs(y) / bend),
    from: (y, bend) => Math.sign(y) * bend * (10 ** Math.abs(y) - 1),
  },
};

const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const median = (values) => quantile(values, 0.5);

// Logarithmic, but for values that have no logarithm.
function scaleOf(figure, lines) {
  if (figure.linear || figure.name === "survival") return { kind: "linear", bend: 1 };
  if (figure.name !== "loss") return { kind: "symlog", bend: 1 };
  const values = lines.flatMap((line) => line.points.map((point) => point.y));
  if (values.every((value) => value > 0)) return { kind: "log", bend: 1 };
  const sizes = values.map(Math.abs).filter(Boolean);
  return { kind: "symlog", bend: 10 ** Math.floor(Math.log10(quantile(sizes, 0.05) ?? 1)) };
}

// From the smallest to the largest value, in the scale's own terms, without the extremes of a tenth of the lines at
// most, where they lie far off: beyond five times the usual distance from the median one, and four decades.
function limits(name, lines, { kind, bend }) {
  const to = (y) => SCALES[kind].to(y, bend);
  const lows = lines.map((line) => Math.min(...line.points.map((point) => to(point.y))));
  const highs = lines.map((line) => Math.max(...line.points.map((point) => to(point.y))));
  const fence = (values, sign) => {
    if (!CLIPPED.has(name)) return sign * Infinity;
    const middle = median(values);
    const usual = median(values.map((value) => Math.abs(value - middle)));
    const most = quantile(values.map((value) => sign * (value - middle)), 0.9);
    return middle + sign * Math.max(5 * usual, kind === "linear" ? 2 * Math.abs(middle) : 4, most);
  };
  const ends = lines.length ? [fence(lows, -1), fence(highs, 1)] : [0, 1];
  const fits = (value) => value >= ends[0] && value <= ends[1];
  const values = [...lines.flatMap((line) => line.points.flatMap((point) => {
    return (line.banded ? [point.low, point.high] : [point.y]).map(to).filter(fits);
  })), ...(kind === "log" ? [] : [0])];
  let low = values.reduce((a, b) => Math.min(a, b), Infinity);
  let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  // The limit of the largest logit is in view where that leaves the lines half of the height.
  const limit = to(data.limit * 1.02);
  if (name === "logit" && limit > high && limit - low < 2 * (high - low)) high = limit;
  if (low > high) [low, high] = [0, 1];
  const room = (high - low || 1) * 0.04;
  const range = [low === 0 ? 0 : low - room, high + room];
  return range.map((value) => SCALES[kind].from(value, bend));
}
