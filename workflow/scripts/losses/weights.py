"""How hard a loss pulls the images of one class, against those of the other."""

from losses.one_image import OneImage

UNEQUAL = 10  # times as hard, or harder, is told


def pulls_harder(image: OneImage) -> tuple[int, float] | None:
    """The label whose images pull UNEQUAL times as hard, or harder, at each of five logits and the opposite one for the
    other's, and how many times at 0; None where neither does, or the loss is no sum or mean over images. Of a border
    that lies beside 0, the slopes there alone say nothing of weights."""
    if image.why_not is not None:
        return None
    pulls = [
        (abs(image.exactly(0, -logit).slope), abs(image.exactly(1, logit).slope))
        for logit in (0.0, -3.0, -1.0, 1.0, 3.0)
    ]
    for strong in (0, 1):
        if pulls[0][1 - strong] > 0 and all(pair[strong] >= UNEQUAL * pair[1 - strong] for pair in pulls):
            return strong, float(pulls[0][strong] / pulls[0][1 - strong])
    return None
