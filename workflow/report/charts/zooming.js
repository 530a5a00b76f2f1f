// The part of a chart that is shown. Its figure holds it as data-zoom, "first epoch,last epoch,lowest,highest", which
// the page's address keeps: the event "zoomed" says that it has changed, "zoom" that the chart is to follow it.
const ofFigure = ({ place }) => place.closest("figure");

function zoomTo({ view }, range) {
  // Vega knows the two only together.
  return view.signal("zoom_e", range?.slice(0, 2) ?? null).signal("zoom_y", range?.slice(2) ?? null).runAsync();
}

// Makes the epochs that are shown more or fewer by a factor.
function zoom(figure, factor) {
  const [low, high] = figure.view.scale("x").domain();
  const [middle, half] = [(low + high) / 2, ((high - low) / 2) * factor];
  return zoomTo(figure, [middle - half, middle + half, ...figure.view.scale("y").domain()]);
}

// An address may have been typed, or be of a chart with another scale.
async function zoomAsAsked(figure) {
  const range = (ofFigure(figure).dataset.zoom ?? "").split(",").map(Number);
  const [first, last, lowest, highest] = range;
  const fits = range.length === 4 && range.every(Number.isFinite) && first < last && lowest < highest;
  await zoomTo(figure, fits && (figure.scale.kind !== "log" || lowest > 0) ? range : null);
  await nameLines(figure);
}

let telling;
function keepZoom(figure) {
  const [epochs, values] = [figure.view.signal("zoom_e"), figure.view.signal("zoom_y")];
  const { dataset } = ofFigure(figure);
  if (epochs && values) dataset.zoom = [...epochs, ...values].map((value) => Number(value.toPrecision(5))).join();
  else delete dataset.zoom;
  clearTimeout(telling);
  telling = setTimeout(() => document.dispatchEvent(new Event("zoomed")), 200);
}

document.addEventListener("zoom", ({ target }) => {
  const figure = figures.find((each) => ofFigure(each) === target);
  if (figure?.view) zoomAsAsked(figure);
});
