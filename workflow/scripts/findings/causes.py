"""Kinds of findings that say why: the loss, the pixels, the steps, the test images.

The most telling first: causes before what they bring about, the loss and the pixels before the training.
"""

from findings.kind import Kind

CAUSE_KINDS = (
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
        "held-back",
        means="with one argument of the optimizer at its default (or a momentum at 0.9), tried in full, more training "
        "images are right, beyond luck, or the loss stays finite",
        why="weight decay pulls the weights back; a decay of the rate, dampening or an eps shortens each step; other "
        "arguments make steps too long",
        helps="the optimizer without that argument, or with much less of it",
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
        means="the loss has the same gradient for both classes, or is the same whichever images have which label: it "
        "cannot tell the classes apart",
        why="y does not stand in the formula, or cancels, or counts only by its mean",
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
        tries=("rewrite", "standard loss", "guard"),
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
        alarm="unless 9 of 10 errors of guessing are avoided on the training images and 3 of 4 on the test images",
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
        "blind-to-shift",
        means="the loss is the same when a number is added to all logits: where the border between the classes lies is "
        "left to chance",
        why="only differences between the answers to images count in the formula, as in a ranking loss",
        helps="a loss of each image's own answer; the answers may still be in the right order",
        alarm="where another border would get more training images right, beyond luck",
        tries=("standard loss",),
    ),
    Kind(
        "unequal-weights",
        means="an image of one class pulls ten times as hard, or harder, as one of the other: at logit 0, and at 1 and "
        "3 on either side",
        why="a pos_weight or a factor in the formula that counts one class far more than the other",
        helps="weights that differ by no more than the classes' numbers of images do",
        alarm="where the wrong images are of the class that counts less, beyond luck",
        tries=("weights", "standard loss"),
    ),
    Kind(
        "rate-too-large",
        means="with a smaller learning rate, tried in full, more training images are right, beyond luck, or the loss "
        "stays finite",
        why="each step goes beyond the valley that it aims at",
        helps="a smaller learning rate",
        tries=("argument", "rate", "Adam"),
    ),
    Kind(
        "dead-layer",
        means="the activation's derivative is exactly 0 for all units of a layer and all images: no gradient passes",
        why="one large step, or weight decay, pushed every unit to where the activation is flat",
        helps="a smaller learning rate; LeakyReLU or another activation without a flat side",
        of_finished=True,
        tries=("argument", "rate", "Adam", "activation", "pixels"),
    ),
    Kind(
        "dead-units",
        means="the activation's derivative is exactly 0 for some units and all images: they pass no gradient. Networks "
        "train well with most units dead",
        why="large steps; in deep networks also the first weights",
        helps="a smaller learning rate, or an activation without a flat side; nothing where the model is good",
        alarm="where the model does no better than guessing and most units of a layer are dead",
        of_finished=True,
        tries=("argument", "rate", "Adam", "activation", "pixels"),
    ),
    Kind(
        "vanishing",
        means="the weights of the first layer move by less than a thousandth of what those of the last do, each as a "
        "share of what they were (or most of them not by a bit); in a model that learned little, in the first step",
        why="each layer on the way back shrinks the gradient, until a step is below the weights' last bit",
        helps="fewer layers; ReLU in place of Sigmoid; an optimizer that scales each step, such as Adam",
        of_finished=True,
        tries=("argument", "Adam", "activation", "network"),
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
        means="the steps are too short: with a larger learning rate, tried in full, more training images are right, "
        "beyond luck; or all gradients are far below the optimizer's eps, which then shortens each step",
        why="steps too short for the epochs that they are given",
        helps="a larger learning rate, or more epochs; a loss that is not scaled down",
        tries=("argument", "rate", "Adam", "more epochs"),
    ),
    Kind(
        "unchanged",
        means="not one bit of one weight moved",
        why="no gradient at all, or steps below the weights' last bit",
        helps="a larger learning rate, or a loss with a gradient",
        of_finished=True,
        tries=("argument", "Adam", "rate"),
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
        "test-unlike-training",
        means="the test images seem inverted, turned, mirrored or shifted: undone, their mean image is clearly nearer "
        "to that of the training images",
        why="test images of another source, or read in another way",
        helps="a look at both mean images on its card, and at the folder of test images",
        of_finished=True,
    ),
    Kind(
        "wrong-way-on-test",
        means="fewer test images are right than by always naming the smaller class, beyond luck, though the training "
        "images are learned",
        why="the classes of the test images are exchanged: folders, labels",
        helps="a look at the labels of the test images",
        of_finished=True,
    ),
    Kind(
        "overfit",
        means="fewer test images were wrong at an earlier epoch, beyond luck (McNemar's exact test, for all epochs at "
        "which they were looked at), and no more training images were right then",
        why="the network learns its training images by heart",
        helps="fewer epochs, fewer units, weight decay, or more images",
        of_finished=True,
        tries=("fewer epochs",),
    ),
    Kind(
        "does-not-generalize",
        means="a far larger share of the test images than of the training images is wrong, beyond luck",
        why="the test images are of another kind than the training images (inverted, turned, of another source), or "
        "the network learned its training images by heart",
        helps="a look at the test images beside the training images; more images, fewer epochs or units",
        of_finished=True,
        tries=("fewer epochs", "pixels"),
    ),
    Kind(
        "will-diverge",
        means="the run ended well, but if it went on as it did, the loss would become NaN or infinite",
        why="the surest images come near the logit at which the loss or its gradient is not finite",
        helps="the same loss typed as a function of the logits; fewer epochs only hide it",
        alarm="where every line by which it is told gets there within twice the epochs",
        tries=("rewrite", "unguarded", "standard loss"),
    ),
    Kind(
        "worse-than-start",
        means="the loss is larger than before the first step",
        why="steps too long: each goes beyond the valley that it aims at",
        helps="a smaller learning rate",
        of_finished=True,
        tries=("argument", "rate", "Adam"),
    ),
)
