// A file is for paper: dark on white, whatever the page is; with a title, a legend, and what its signs mean.
const PAPER = { quiet: "#444c54", line: "#d5dbe0", text: "#1d2125", page: "#fff" };
const LINE = 18; // pixels from one line of text to the next

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

// What the page says around the chart.
function around(figure) {
  if (!figure) {
    const title = `Wrong test images by ${choice.value}`;
    return { title, entries: effectRows().entries, notes: ["✕ a model that diverged"] };
  }
  const title = query("figcaption", ofFigure(figure)).textContent.trim();
  const key = keyOf(figure);
  const notes = [];
  if (key) notes.push(`thick: median by ${key}, band: quartiles, thin: the single variants`);
  else if (figure.bands.length) notes.push("line: median of the seeds, band: smallest to largest");
  if (figure.crosses.length) notes.push("✕ the first epoch whose loss is not finite");
  if (query(".beyond", ofFigure(figure)).textContent) notes.push("▲▼ a line leaves the chart");
  const { lines, groups } = figure;
  if (groups.length) return { title, notes, entries: groups.map((group) => [group.v, group]) };
  if (lines.length <= looks.length) return { title, notes, entries: lines.map(({ v }) => [v, look.of(v)]) };
  const values = colour?.value ? [...new Set(lines.map(({ v }) => look.values[v]))] : [];
  return { title, notes, entries: values.map((value) => [value, look.ofValue(value)]) };
}

// Entries one after the other, in lines no wider than the room.
function laidOut(entries, room) {
  let [x, y] = [12, 0];
  return entries.map(([name, its]) => {
    const needs = width(name) + (its ? 50 : 20);
    if (x > 12 && x + needs > room) [x, y] = [12, y + LINE];
    const at = { name, its, x, y };
    x += needs;
    return at;
  });
}

async function asSvg(view, { title, entries, notes }) {
  const chart = await view.toSVG();
  const [across, down] = ["width", "height"].map((side) => Number(chart.match(new RegExp(` ${side}="([\\d.]+)"`))[1]));
  const texts = [...entries, ...notes.map((note) => [note, null])];
  const wide = Math.max(across, width(title) * 1.3 + 24, ...texts.map(([name]) => width(name) + 62));
  const keys = laidOut(entries, wide);
  const rest = laidOut(notes.map((note) => [note, null]), wide);
  const below = 34 + down + LINE;
  const under = below + (keys.length ? keys.at(-1).y + LINE : 0);
  const high = under + (rest.length ? rest.at(-1).y + LINE : 0);
  const text = ({ name, its, x, y }, from) => {
    const sign = its && `<line x1="${x}" x2="${x + 24}" y1="${from + y - 4}" y2="${from + y - 4}" stroke-width="3"
      stroke="${its.color}" stroke-dasharray="${its.dash[1] ? its.dash.join(" ") : ""}"/>`;
    return `${sign ?? ""}<text x="${x + (its ? 30 : 0)}" y="${from + y}">${escaped(name)}</text>`;
  };
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${wide}"
    height="${high}" viewBox="0 0 ${wide} ${high}"><rect width="100%" height="100%" fill="#fff"/>
    <g font-family="system-ui, sans-serif" font-size="12" fill="var(--text)">
    <text x="12" y="24" font-size="15" font-weight="600">${escaped(title)}</text>
    ${keys.map((entry) => text(entry, below)).join("")}${rest.map((entry) => text(entry, under)).join("")}</g>
    ${chart.replace("<svg", '<svg y="34"')}</svg>`;
  return svg.replace(/var\(--(\w+)\)/g, (_, name) => PAPER[name]);
}

async function asPng(view, its) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await asSvg(view, its))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth * 2, image.naturalHeight * 2];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

function save(address, name) {
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name }).click();
}
