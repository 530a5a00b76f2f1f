"""Are the test images another kind of picture than the training images: inverted, turned, mirrored or shifted?

By their mean images alone, whatever a network makes of them. Imports no torch: the page shows these images.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MOST_SHIFTED = 13  # pixels: farther, it is nearer the other way around
BRIGHTEST = 255
# Of the distance: what is left of it after the change. 800 draws of 2 to 60 test images of MNIST were never nearer so.
CLEARLY = 0.5


@dataclass(frozen=True)
class Unlike:
    """how: what was done to the test images, it seems. before, after: the distance of the mean test image from the mean
    training image, a root mean square over pixels in grey levels of 255, as it is and once that is undone."""

    how: str
    before: float
    after: float

    @property
    def sentence(self) -> str:
        text = f"The test images seem {self.how}: their mean image differs from that of the training images by "
        return text + f"{self.before:.3g} of 255 grey levels a pixel, and by {self.after:.3g} with that undone."


def unlike(digits: dict) -> Unlike | None:
    """digits: as extract.py writes them. None where no such change brings the mean image clearly nearer."""
    train, test = (mean_image(digits[f"{part}_images"], digits[f"{part}_labels"]) for part in ("train", "test"))
    before = _distance(test, train)
    after, how = min((_distance(image, train), how) for how, image in _undone(test))
    # Blank images, inverted or not, are nearer than what is far off, and show nothing of the training images.
    is_clear = after < CLEARLY**2 * min(before, _distance(train.mean(), train))
    return Unlike(how, float(before**0.5), float(after**0.5)) if is_clear else None


def _undone(image: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(28, 28) with each change undone."""
    yield "inverted", BRIGHTEST - image
    yield "turned by a quarter to the left", np.rot90(image, -1)
    yield "turned by a quarter to the right", np.rot90(image, 1)
    yield "turned upside down", np.rot90(image, 2)
    yield "mirrored left to right", image[:, ::-1]
    yield "mirrored top to bottom", image[::-1]
    yield "mirrored at a diagonal, rows and columns exchanged", image.T
    yield "mirrored at the other diagonal", np.rot90(image.T, 2)
    reach = range(-MOST_SHIFTED, MOST_SHIFTED + 1)
    for down in reach:
        for right in reach:
            if down or right:
                yield f"shifted {_by(down, right)}", np.roll(image, (-down, -right), (0, 1))


def _by(down: int, right: int) -> str:
    """'down by 2 and to the left by 3 pixels'."""
    parts = [f"{'down' if down > 0 else 'up'} by {abs(down)}"] * bool(down)
    parts += [f"to the {'right' if right > 0 else 'left'} by {abs(right)}"] * bool(right)
    return f"{' and '.join(parts)} pixel{'' if max(abs(down), abs(right)) == 1 else 's'}"


def mean_image(images, labels) -> np.ndarray:
    """(28, 28), each class counting as much as the other. images: uint8 (n, 28, 28); labels: (n,)."""
    means = [np.asarray(images[labels == label], np.float32).mean(axis=0, dtype=np.float64) for label in (0, 1)]
    return (means[0] + means[1]) / 2


def _distance(image: np.ndarray | float, other: np.ndarray) -> float:
    return float(((image - other) ** 2).mean())
