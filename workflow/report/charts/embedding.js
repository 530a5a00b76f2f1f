// Puts a chart into its place. Its parts take their colours from the page's style, to follow its light and dark.
const config = {
  background: null,
  font: "system-ui, sans-serif",
  axis: {
    labelColor: "var(--quiet)",
    titleColor: "var(--quiet)",
    gridColor: "var(--line)",
    domainColor: "var(--line)",
    tickColor: "var(--line)",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 500,
  },
  header: { labelColor: "var(--text)", labelFontSize: 12, labelFontWeight: 600 },
  view: { stroke: null },
  rule: { color: "var(--quiet)" },
  text: { color: "var(--quiet)", fontSize: 12 },
};
const expressionFunctions = { ticks, tickText: number };

async function embed(place, spec) {
  const tooltip = (_, event, item, value) => tell(event, value);
  const options = { actions: false, renderer: "svg", config, expressionFunctions, tooltip };
  const { view } = await vegaEmbed(place, spec, options);
  query("svg", place).setAttribute("aria-hidden", "true"); // the place is an image with a name
  return view;
}

const EMPTY = Object.fromEntries(
  ["lines", "bands", "crosses", "edges", "names", "limit", "near", "dot", "runs"].map((name) => [name, []]));
