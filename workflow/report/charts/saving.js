// A file is for paper: dark on white, whatever the page is.
const PAPER = { quiet: "#444c54", line: "#d5dbe0", text: "#1d2125", page: "#fff" };

async function asSvg(view) {
  const svg = (await view.toSVG()).replace(/var\(--(\w+)\)/g, (_, name) => PAPER[name]);
  return svg.replace(/(<svg[^>]*>)/, '$1<rect width="100%" height="100%" fill="#fff"/>');
}

async function asPng(view) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await asSvg(view))}`;
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
