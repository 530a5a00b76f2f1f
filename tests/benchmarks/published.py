"""Published rules that tell from a recording whether a training goes wrong, and the kinds of finding that they name."""

from collections.abc import Callable

import numpy as np
from recording import Recording

COIN = np.log(2)  # the cross-entropy of a coin

# The kinds of finding (docs/findings.md) that an alarm names. The reading is generous: an alarm names what its tool's
# own text says or advises, and every kind that means no more than that. What names no kind at all has an empty set.
CAUSES: dict[str, set[str]] = {
    "not finite": {"diverged"},
    # A loss of 1,000 or more, or one layer's gradient 70 times another's: both are told "exploding gradients".
    "exploding": {"diverged", "worse-than-start"},
    # A loss below 0 has the wrong sign or no floor; the tool blames the loss.
    "negative loss": {"wrong-way", "unbounded"},
    # Gradients "extremely small", or all of them 0.
    "vanishing": {"vanishing", "frozen", "no-gradient"},
    "dying ReLU": {"dead-layer"},
    "saturated": {"stuck-images"},
    "oscillating": {"cycle", "rate-too-large"},
    "slow": {"slow"},
    # The same loss, or the same accuracy, for many steps.
    "stagnant": {"slow", "unchanged"},
    "small steps": {"slow", "unchanged"},
    # Steps too long are also why a loss ends above its start.
    "large steps": {"rate-too-large", "worse-than-start"},
    "rate too high": {"rate-too-large", "worse-than-start"},
    "rate too low": {"slow", "unchanged"},
    "overfit": {"overfit"},
    "inputs": {"bad-start"},
    "first loss": {"bad-start"},
    # Too good to be true: a leak from training to validation.
    "validation accuracy": set(),
}


def nan_check(of: Recording) -> set[str]:
    """Keras's TerminateOnNaN, Lightning's EarlyStopping(check_finite=True): the loss is not finite.

    https://keras.io/api/callbacks/terminate_on_nan/
    https://lightning.ai/docs/pytorch/latest/api/lightning.pytorch.callbacks.EarlyStopping.html
    """
    return {"not finite"} if not np.isfinite(of.loss).all() else set()


def autotrainer(of: Recording) -> set[str]:
    """AUTOTRAINER. X. Zhang, J. Zhai, S. Ma, C. Shen: AUTOTRAINER, an automatic DNN training problem detection and
    repair system. ICSE 2021. https://github.com/shiningrain/AUTOTRAINER, AutoTrainer/utils/monitor.py.

    It looks every third epoch; from three tenths of the epochs on it judges a training whose accuracies were never
    0.6, or never rose by 0.01 in one epoch, by the first that holds: dying, exploding, vanishing, slow. Approximated:
    gradients of all images instead of a batch; it goes on where the tool would stop and repair; its later checks of
    layers' outputs and of the loss's name are left out. The repository also has 0.7 for 0.6.
    """
    losses = np.concatenate([of.loss, of.test_loss])
    alarms = set()
    if not np.isfinite(losses).all() or losses.max() >= 1e3:
        alarms.add("exploding")
    if (losses < 0).any():
        alarms.add("negative loss")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = of.gradient_norm[:, 0] / of.gradient_norm[:, -1]
    seen = {
        "dying ReLU": of.zero_gradients >= 0.7,
        "exploding": ratio > 70,
        "vanishing": (ratio < 1e-3) & (of.gradient_norm[:, 0] < 1e-4),
    }
    for epoch in range(0, len(of.loss), 3):
        if epoch + 1 < 0.3 * of.epochs - 3:
            continue
        curves = of.accuracy[: epoch + 1], of.test_accuracy[: epoch + 1]
        gains_nothing = all(np.diff(curve).max(initial=0) < 0.01 for curve in curves)
        if gains_nothing or all(curve.max() < 0.6 for curve in curves):
            first = next((name for name, at in seen.items() if at[: epoch + 1 : 3].any()), None)
            alarms |= {first} if first else {"slow"} if gains_nothing else set()
        if swings(curves[0], 0.03) >= 0.2 * (epoch + 1):
            alarms.add("oscillating")
    return alarms


def swings(curve: np.ndarray, height: float) -> int:
    """How often a local maximum of the curve is `height` above the local minimum of the same rank."""
    before, here, after = curve[:-2], curve[1:-1], curve[2:]
    tops, bottoms = here[(here >= before) & (here >= after)], here[(here <= before) & (here <= after)]
    both = min(len(tops), len(bottoms))
    return int((tops[:both] - bottoms[:both] >= height).sum())


def deepdiagnosis(of: Recording) -> set[str]:
    """DeepDiagnosis. M. Wardat, B. D. Cruz, W. Le, H. Rajan: DeepDiagnosis, automatically diagnosing faults and
    recommending actionable fixes in deep learning programs. ICSE 2022, arXiv 2112.04036.
    https://github.com/DeepDiagnosis/ICSE2022, callback/callbacks.py.

    Approximated: it goes on where the tool would stop; the rate and the range of the pixels, by which the tool chooses
    its advice, are alarms; the rate is the nominal one, not that times gradient over weight; its checks for means of
    layers and weights that stay the same or are 0 are left out.
    """
    alarms = nan_check(of) | inputs(of)
    if (of.gradient_mean < 1e-7).any():
        alarms.add("vanishing")
    if (of.not_positive[-1] >= 0.7).any():
        alarms.add("dying ReLU")
    if (of.beyond_5[4::5] > 0.5).any():
        alarms.add("saturated")
    if any(len(set(of.accuracy[end - 20 : end])) == 1 for end in range(20, len(of.accuracy) + 1, 20)):
        alarms.add("stagnant")
    return alarms | rate(of, 1e-5, 0.1)


def inputs(of: Recording) -> set[str]:
    return {"inputs"} if of.pixels[0] < -1 or of.pixels[1] > 1 else set()


def rate(of: Recording, low: float, high: float) -> set[str]:
    return {"rate too high"} if of.rate > high else {"rate too low"} if of.rate < low else set()


def umlaut(of: Recording) -> set[str]:
    """UMLAUT. E. Schoop, F. Huang, B. Hartmann: UMLAUT, debugging deep learning programs using program structure and
    model behavior. CHI 2021. https://github.com/BerkeleyHCI/umlaut, umlaut/heuristics.py.

    Approximated: an infinite loss is the NaN that it is an epoch later; a look that its validation accuracy is above
    the training's, and its checks of a program's text and layers, are left out.
    """
    alarms = nan_check(of) | inputs(of) | rate(of, 1e-7, 0.01)
    if ((np.diff(of.test_loss) > 0) & (np.diff(of.loss) <= 0)).any():
        alarms.add("overfit")
    if (of.test_accuracy[3:] > 0.95).any():
        alarms.add("validation accuracy")
    return alarms


def sagemaker_debugger(of: Recording) -> set[str]:
    """Amazon SageMaker Debugger's built-in rules for deep learning, with their default parameters.

    https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html: VanishingGradient, DeadRelu,
    SaturatedActivation, WeightUpdateRatio, Overfit, LossNotDecreasing and ExplodingTensor. Approximated from their
    documentation, for their code is closed: every epoch is a saved step (by default it is every 500th); updates and
    weights are means of absolute values; rules that need a choice of tensors, and those of initialization and
    overtraining, are left out.
    """
    alarms = nan_check(of)
    if (of.gradient_mean < 1e-7).any():
        alarms.add("vanishing")
    if (of.inactive > 0.5).any():
        alarms.add("dying ReLU")
    if (of.saturated > 0.5).any():
        alarms.add("saturated")
    if (of.update > 10).any():
        alarms.add("large steps")
    if (of.update < 1e-8).any():
        alarms.add("small steps")
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = (of.test_loss - of.loss) / of.loss > 0.1
        later, earlier = of.loss[10::10], of.loss[:-10:10]
        decrease = (earlier - later) / np.abs(earlier)
    if (excess[1:] & excess[:-1]).any():
        alarms.add("overfit")
    if (decrease < 0.001).any():
        alarms.add("stagnant")
    return alarms


def thedeepchecker(of: Recording) -> set[str]:
    """TheDeepChecker, in part. H. Ben Braiek, F. Khomh: Testing feedforward neural networks training programs. TOSEM
    2023, arXiv 2204.00694. https://github.com/thedeepchecker/thedeepchecker, deep_checker/checkers.py and hooks.py.

    The first loss; dead layers, vanishing and exploding gradients every tenth step from the tenth on; and the mean
    magnitude of ten steps. Approximated: it looks at all images and epochs, where the tool overfits one batch of 50
    until all of it is right; its checks of initialization, of distributions, of the loss's smoothness and of data are
    left out.
    """
    alarms = nan_check(of)
    if not abs(of.loss[0] - COIN) < COIN:
        alarms.add("first loss")
    if (of.silent[10::10] > 0.5).any():
        alarms.add("dying ReLU")
    if (of.gradient_mean[10::10] < 1e-6).any():
        alarms.add("vanishing")
    if (of.gradient_mean[10::10] > 1e6).any():
        alarms.add("exploding")
    tens = len(of.update) // 10
    with np.errstate(divide="ignore"):
        magnitude = np.log10(of.update[: 10 * tens].reshape(tens, 10, of.update.shape[1])).mean(1)
    if (magnitude > -1).any():
        alarms.add("large steps")
    if (magnitude < -4).any():
        alarms.add("small steps")
    return alarms


RULES: dict[str, Callable[[Recording], set[str]]] = {
    "NaN check": nan_check,
    "AUTOTRAINER": autotrainer,
    "DeepDiagnosis": deepdiagnosis,
    "UMLAUT": umlaut,
    "SageMaker Debugger": sagemaker_debugger,
    "TheDeepChecker, in part": thedeepchecker,
}
