"""Kinds of findings that say what came of it, and those that are facts alone. The most telling first."""

from findings.kind import Kind

SYMPTOM_KINDS = (
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
        why="many causes end so: a loss, pixels, or steps with which nothing is learned",
        helps="another learning rate, loss or normalization",
        of_finished=True,
        fails=True,
    ),
    Kind(
        "chance-level",
        means="the answers to the training images are not or hardly better than always naming the larger class, or "
        "have nothing to do with the labels",
        why="many causes end so: a loss, pixels, or steps with which nothing is learned",
        helps="another learning rate, loss or normalization",
        of_finished=True,
        fails=True,
        tries=("argument", "rate", "Adam", "standard loss"),
    ),
    Kind(
        "no-better-than-constant",
        means="the loss is no less than that of the best single answer for all images",
        why="nothing that distinguishes the images has reached the loss; where the answers are right, some sure "
        "mistakes cost more than all the others gain",
        helps="another loss, or smaller steps",
        alarm="unless nearly all answers are right, on the training and on the test images",
        of_finished=True,
    ),
    Kind(
        "little-progress",
        means="the loss has come less than half of the way from that of the best single answer for all images to that "
        "of the best answers of all; where that way is not defined, it makes more than half of the errors on the "
        "training images that always naming the larger class makes",
        why="too few epochs, steps too short, or something that holds the weights back, such as weight decay",
        helps="more epochs, a larger learning rate, less weight decay",
        alarm="unless nearly all answers are right, on the training and on the test images",
        of_finished=True,
        tries=("argument", "rate", "Adam", "more epochs"),
    ),
    Kind(
        "was-better",
        means="at an earlier epoch fewer test images were wrong, beyond luck, and fewer training images too",
        why="the last steps went too far, or back",
        helps="a smaller learning rate, or fewer epochs",
        alarm="never",
        of_finished=True,
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
