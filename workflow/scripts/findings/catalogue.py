"""The catalogue of the kinds of findings: what each says, where it comes from, and what helps.

docs/findings.md and the page are made from it. It is plain data, so the page explains a kind without torch. The
function that finds a kind is registered under its name: findings/finders.py.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """means: what it says. why: where it comes from. helps: what usually mends it. alarm: when it is one.

    of_finished: whether only a seed that did not diverge can have it. fails: whether a model that has it fails. tries:
    the ways of cures/changes.py that are worth trying where it is an alarm, the likeliest first.
    """

    name: str
    means: str
    why: str
    helps: str
    alarm: str = "always"
    of_finished: bool = False
    fails: bool = False
    tries: tuple[str, ...] = ()


# The most telling first: causes before what they bring about, the loss and the pixels before the training.
_KINDS = (
    Kind(
        "equal-images",
        means="all images, or all of one class, are the same after normalization",
        why="the normalization makes one value of all pixels, say by a threshold beyond them",
        helps="another normalization",
        tries=("pixels",),
    ),
    Kind(
        "no-influence",
        means="before the first step all logits are equal to the last bit, or the first layer's gradient is exactly 0: "
        "the pixels do not reach the network",
        why="pixels so small that they vanish beside the bias",
        helps="pixels of the order of 1: x / 255",
        tries=("pixels",),
    ),
    Kind(
        "decay",
        means="lr · weight_decay is 1 or more under SGD or AdamW: each step wipes the weights, flips their sign or, "
        "beyond 2, makes them grow for ever",
        why="weight_decay is multiplied by the learning rate",
        helps="a weight_decay far below 1 / lr",
        tries=("argument",),
    ),
    Kind(
        "momentum",
        means="momentum is 1 or more: steps are never forgotten, and add up for ever",
        why="each step is the one before times the momentum, plus the gradient",
        helps="a momentum of 0.9",
        tries=("argument",),
    ),
    Kind(
        "no-gradient",
        means="the loss has no gradient wherever it is finite, for either class: nothing can be learned",
        why="a clamp or a comparison cuts the logits off",
        helps="another loss",
        tries=("standard loss",),
    ),
    Kind(
        "ignores-labels",
        means="the loss has the same gradient for both classes: it cannot tell them apart",
        why="y does not stand in the formula, or cancels",
        helps="a loss in which y makes a difference",
        tries=("mirror", "standard loss"),
    ),
    Kind(
        "ignores-class",
        means="the loss has no gradient wherever it is finite for one class: its images teach nothing",
        why="a factor that is 0 for that class, often labels 0 and 1 in a formula made for −1 and 1",
        helps="2 * y - 1 in place of y",
        tries=("mirror", "standard loss"),
    ),
    Kind(
        "wrong-way",
        means="the gradient pushes images of a class away from it, at every logit or at some",
        why="a sign is wrong, or y and 1 - y are exchanged; at some logits only, a formula that turns back there",
        helps="the other sign",
        alarm="at every logit, or where wrong images lie at those",
        tries=("sign", "standard loss"),
    ),
    Kind(
        "never-finite",
        means="the loss of every image of a class is NaN or infinite, whatever the answer to it",
        why="a part that no answer makes finite, such as log(y), which is −∞ for y = 0",
        helps="the formula without that part",
        tries=("rewrite", "standard loss"),
    ),
    Kind(
        "diverged",
        means="the loss became NaN or infinite",
        why="some operation was given a number for which float32 has no answer; the autopsy names it",
        helps="what the autopsy's cause asks for: another way to type the same loss, or smaller steps",
        fails=True,
    ),
    Kind(
        "unbounded",
        means="the loss has no lower bound for a class: it can fall for ever without one image more being right",
        why="a term without end, such as a logit that nothing holds back",
        helps="a loss that is least where the answer is right",
        alarm="where the model ends no better than by always naming the larger class",
        tries=("unguarded", "standard loss"),
    ),
    Kind(
        "border-optimum",
        means="the best logit of a class is the border itself, where ŷ is a half, or lies on the other class's side",
        why="a loss made for numbers of another range, such as a squared error between a logit and 0 or 1",
        helps="a loss that is least, for each class, on that class's own side",
        tries=("input", "standard loss"),
    ),
    Kind(
        "dead-layer",
        means="the activation's derivative is exactly 0 for all units of a layer and all images: no gradient passes",
        why="one large step, or weight decay, pushed every unit to where the activation is flat",
        helps="a smaller learning rate; LeakyReLU or another activation without a flat side",
        of_finished=True,
        tries=("rate", "pixels", "Adam", "activation"),
    ),
    Kind(
        "vanishing",
        means="most weights of the first layer have not moved by a bit, while those of the last layer do",
        why="each layer on the way back shrinks the gradient, until a step is below the weights' last bit",
        helps="fewer layers; ReLU in place of Sigmoid; an optimizer that scales each step, such as Adam",
        of_finished=True,
        tries=("Adam", "activation"),
    ),
    Kind(
        "frozen",
        means="from some epoch on every gradient is exactly 0, while images are wrong. Under plain SGD nothing changes "
        "ever again; other optimizers only coast on their momentum",
        why="all images, right or wrong, lie where the loss is flat, or no unit lets a gradient through",
        helps="a loss with a slope wherever an image is wrong; smaller steps, or pixels scaled down, if it began well",
        of_finished=True,
        tries=("rewrite", "standard loss"),
    ),
    Kind(
        "slow",
        means="ten times the learning rate, tried in full, ends better, and its loss never rises; or all gradients are "
        "far below the optimizer's eps, which then shortens each step",
        why="steps too short for the epochs that they are given",
        helps="the learning rate that was tried, or more epochs; a loss that is not scaled down",
        tries=("rate", "Adam"),
    ),
    Kind(
        "unchanged",
        means="not one bit of one weight moved",
        why="no gradient at all, or steps below the weights' last bit",
        helps="a larger learning rate, or a loss with a gradient",
        of_finished=True,
        tries=("Adam", "rate"),
    ),
    Kind(
        "conflicting-images",
        means="training images are equal to one of the other class: no function of the pixels gets both right",
        why="the normalization throws away what tells them apart; or the labels are wrong",
        helps="another normalization; a look at the labels",
        tries=("pixels",),
    ),
    Kind(
        "stuck-images",
        means="images are wrong, and the loss has a gradient of exactly 0 for them: they contribute nothing to any "
        "step, and only what is learned from others can mend them. Beside these, starved ones have less than half of "
        "the gradient that the formula has without rounding",
        why="float32 rounds ŷ to exactly 0 or 1, or a clamp, an epsilon or a flat piece of the loss swallows the slope",
        helps="the same loss typed as a function of the logits; pixels scaled down, so that no image starts out "
        "saturated",
        of_finished=True,
        tries=("rewrite", "unguarded", "standard loss"),
    ),
    Kind(
        "rate-too-large",
        means="the loss rose after a step, and a tenth of the learning rate, tried in full, ends better",
        why="each step goes beyond the valley that it aims at",
        helps="the learning rate that was tried",
        tries=("rate",),
    ),
    Kind(
        "does-not-generalize",
        means="a far larger share of the test images than of the training images is wrong, beyond luck",
        why="the test images are of another kind than the training images (inverted, turned, of another source), or "
        "the network learned its training images by heart",
        helps="a look at the test images beside the training images; more images, fewer epochs or units",
        of_finished=True,
        tries=("epochs", "pixels"),
    ),
    Kind(
        "will-diverge",
        means="the run ended well, but if it went on as it did, the loss would become NaN or infinite",
        why="the surest images come near the logit at which the loss or its gradient is not finite",
        helps="the same loss typed as a function of the logits; fewer epochs only hide it",
        alarm="where even the late end of the range is within twice the epochs",
        tries=("rewrite", "unguarded", "standard loss"),
    ),
    Kind(
        "worse-than-start",
        means="its loss is larger than before the first step",
        why="steps too long: each goes beyond the valley that it aims at",
        helps="a smaller learning rate",
        of_finished=True,
        tries=("rate", "Adam"),
    ),
    Kind(
        "overfit",
        means="the loss on the test images was least before the end and has doubled since, with no fewer of them "
        "wrong, and errors are significantly more frequent on them than on the training images (Fisher's exact test)",
        why="the network learns its training images by heart",
        helps="fewer epochs, fewer units, weight decay, or more images",
        of_finished=True,
        tries=("epochs",),
    ),
    Kind(
        "imbalance",
        means="one class is less than a tenth of the training images",
        why="a model may then be mostly right and still get most of that class wrong",
        helps="read the accuracy of each class; weigh the rare class in the loss (pos_weight)",
        alarm="where a class is mostly wrong",
        of_finished=True,
    ),
    Kind(
        "test-pixels",
        means="test images are not finite after normalization, or lie far outside the range of the training images",
        why="the statistics are those of the training images: a pixel that is always dark there may be lit in a test "
        "image, and then be divided by almost nothing",
        helps="something added to what is divided by: (x - pixel_mean) / (pixel_std + 1)",
        alarm="where they are not finite",
        tries=("pixels",),
    ),
    Kind(
        "cycle",
        means="plain SGD came back to the very weights of some epochs before: it repeats them for ever",
        why="the step goes as far back as it came, or is too small to move a bit",
        helps="another learning rate",
        alarm="while an image is wrong",
        of_finished=True,
        tries=("rate",),
    ),
    Kind(
        "one-class",
        means="the model gives all images the same answer",
        why="a symptom: the other findings say of what",
        helps="what the other findings ask for",
        of_finished=True,
        fails=True,
    ),
    Kind(
        "chance-level",
        means="its answers to the training images are not or hardly better than always naming the larger class, or "
        "have nothing to do with the labels",
        why="a symptom: the other findings say of what",
        helps="what the other findings ask for",
        of_finished=True,
        fails=True,
        tries=("rate", "Adam", "standard loss"),
    ),
    Kind(
        "no-better-than-constant",
        means="its loss is no less than that of the best single answer for all images",
        why="nothing that distinguishes the images has reached the loss; where the answers are right, some sure "
        "mistakes cost more than all the others gain",
        helps="what the other findings ask for",
        alarm="unless nearly all answers are right, on the training and on the test images",
        of_finished=True,
    ),
    Kind(
        "little-progress",
        means="its loss has come less than half of the way from that of the best single answer for all images to that "
        "of the best answers of all; where that way is not defined, it makes more than half of the errors on the "
        "training images that always naming the larger class makes",
        why="too few epochs, steps too short, or something that holds the weights back, such as weight decay",
        helps="more epochs, a larger learning rate, less weight decay",
        alarm="unless nearly all answers are right, on the training and on the test images",
        of_finished=True,
        tries=("rate", "argument", "Adam"),
    ),
    Kind(
        "bad-start",
        means="the first loss is at least twice that of a coin (every ŷ a half), or images are wrong and saturated "
        "before the first step: the training first has to undo that",
        why="large pixels make large logits",
        helps="pixels divided by 255, or standardized",
        alarm="never",
    ),
    Kind(
        "dead-units",
        means="the activation's derivative is exactly 0 for some units and all images: they pass no gradient. Networks "
        "train well with most units dead",
        why="large steps; in deep networks also the first weights",
        helps="nothing is wrong in itself",
        alarm="never",
        of_finished=True,
    ),
    Kind(
        "floor",
        means="the loss cannot reach 0, however right the answers are",
        why="a constant in the formula, a margin, or an epsilon",
        helps="nothing is wrong in itself; compare the loss with its floor, not with 0",
        alarm="never",
    ),
    Kind(
        "not-per-image",
        means="the loss is no sum or mean over the images: an image's share depends on all others",
        why="a mean or sum stands inside another operation",
        helps="nothing is wrong in itself; but progress is not defined, and one image's loss cannot be charted",
        alarm="never",
    ),
)

CATALOGUE = {kind.name: kind for kind in _KINDS}


def explanations() -> dict[str, dict[str, str]]:
    """{kind: means, why, helps, alarm}, the most telling first, as the page reads them."""
    return {
        name: {"means": kind.means, "why": kind.why, "helps": kind.helps, "alarm": kind.alarm}
        for name, kind in CATALOGUE.items()
    }
