// The readout under the grid says what the chip under the pointer, or with the focus, holds. Where nothing can hover,
// the first tap reads a chip, with the way to its card; the next one takes it.
const readout = document.querySelector(".readout");
const tapped = matchMedia("(hover: none)");
let read = null;

function tell(chip) {
  readout.textContent = chip.querySelector(".tip").textContent;
  if (!tapped.matches) return;
  readout.removeAttribute("aria-hidden"); // there is a link in it
  readout.append(" ");
  made("a", "its card", readout).href = chip.getAttribute("href");
}

for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    const chip = target.closest?.(".chip");
    if (chip && readout) tell(chip);
  });
}

// Whether the click only reads: no link is followed.
function reads(event) {
  const chip = event.target.closest(".chip");
  if (!chip || !readout || !tapped.matches || read === chip) return false;
  read = chip;
  tell(chip);
  event.preventDefault();
  return true;
}
