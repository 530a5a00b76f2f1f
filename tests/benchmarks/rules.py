"""Does it train well? What this project says of labelled cases, beside what published rules say of the same runs.

    .venv/bin/python tests/benchmarks/rules.py [RESULTS] [--cases FILE --labels FILE] [--cache FOLDER]

Prints how many of the bad cases each finds, how many of the good ones it calls bad too, and of how many bad ones it
names the cause; then what each says of every case. RESULTS: the results/ of a finished run of the cases; without it,
the pipeline trains them in a temporary folder. --cases: a part of a config.yaml; --labels: a table (tab-separated) of
its variants with the columns variant, verdict (good or bad) and findings (the kinds that must be among those named:
`,` is and, `|` is or). Both are taken from ../shared/bench unless given. --cache: keeps what the rules look at.
Thirty cases of 200 epochs take minutes on two cores, and minutes again where there is no RESULTS.
"""

import argparse
import contextlib
import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmark import ROOT, Project, raw_files
from recording import Recording, recordings

sys.path.append(str(ROOT / "workflow/scripts"))

from common.errors import UserError
from experiment.config import Experiment, check
from experiment.reading import read_config

BENCH = ROOT.parent / "shared/bench"
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
PROJECT = "this project"


@dataclass(frozen=True)
class Case:
    """A labelled variant. required: the kinds of finding that must be among those named, `,` is and, `|` is or."""

    is_bad: bool
    required: str


@dataclass(frozen=True)
class Answer:
    """What one set of rules says of one case. words: its alarms, in short. kinds: of finding that it names."""

    is_alarm: bool
    words: list[str]
    kinds: set[str]


def names_cause(required: str, kinds: set[str]) -> bool:
    """Whether 'a,b|c' is met: a, and one of b and c, are among the kinds."""
    return all(kinds & set(either.split("|")) for either in required.split(","))


def read_labels(path: Path) -> dict[str, Case]:
    """{variant: its Case}. Raises UserError where the file is missing, or a verdict neither good nor bad."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    cases = {}
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("verdict") not in ("good", "bad"):
            raise UserError(f"{path}: {row.get('variant')}: found verdict {row.get('verdict')}, expected good or bad")
        cases[row["variant"]] = Case(is_bad=row["verdict"] == "bad", required=row["findings"] or "")
    return cases


def answers_of_rules(recording: Recording) -> dict[str, Answer]:
    """{name of a set of rules: its answer}."""
    answers = {}
    for name, find in RULES.items():
        alarms = find(recording)
        kinds = set().union(*(CAUSES[alarm] for alarm in alarms))
        answers[name] = Answer(is_alarm=bool(alarms), words=sorted(alarms), kinds=kinds)
    return answers


def answer_of_project(path: Path) -> Answer:
    """What a metrics.json says of its first seed. Raises UserError where it is missing or says nothing."""
    try:
        seed = json.loads(path.read_text(encoding="utf-8"))["seeds"][0]
        verdict, findings = seed["verdict"], seed["findings"]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise UserError(f"{path}: found no verdict and findings, expected what the pipeline writes") from None
    alarms = [finding["kind"] for finding in findings if finding["alarm"]]
    return Answer(is_alarm=verdict != "good", words=alarms, kinds={finding["kind"] for finding in findings})


def summary(cases: dict[str, Case], answers: dict[str, dict[str, Answer]]) -> str:
    """A row per set of rules; answers: {name of the rules: {variant: answer}}."""
    bad, good = ([name for name, case in cases.items() if case.is_bad == is_bad] for is_bad in (True, False))
    rows = []
    for rules, said in answers.items():
        found = sum(said[name].is_alarm for name in bad)
        false = sum(said[name].is_alarm for name in good)
        named = sum(names_cause(cases[name].required, said[name].kinds) for name in bad)
        rows.append([rules, f"{found}/{len(bad)}", f"{false}/{len(good)}", f"{named}/{len(bad)}"])
    return table(["rules", "found", "false alarms", "right cause"], rows)


def by_case(cases: dict[str, Case], answers: dict[str, dict[str, Answer]]) -> str:
    """A row per case, what each set of rules says of it; ✓ where that names the cause."""
    rows = []
    for name, case in cases.items():
        row = [name, case.required.replace("|", " or ").replace(",", " and ") if case.is_bad else "good"]
        for said in answers.values():
            answer = said[name]
            is_right = case.is_bad and names_cause(case.required, answer.kinds)
            # A verdict without an alarm is possible: no better than the best constant answer.
            words = ", ".join(answer.words) or ("bad" if answer.is_alarm else "–")
            row.append(f"✓ {words}" if is_right else words)
        rows.append(row)
    return table(["case", "label", *answers], rows)


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """In Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def labelled(cases_file: Path, labels_file: Path) -> tuple[dict, Experiment, dict[str, Case]]:
    """The config of the cases, the same checked, and their labels. Raises UserError where a case has no label."""
    config = read_config(str(cases_file))
    experiment, cases = check(config), read_labels(labels_file)
    if unpaired := sorted(set(cases) ^ set(experiment.variants)):
        raise UserError(f"{labels_file}: {unpaired[0]} is not in it and in {cases_file}, expected the same variants")
    return config, experiment, cases


def run_pipeline(config: dict, variants: Iterable[str]) -> Path:
    """The results/ of the variants, trained by the pipeline in a temporary folder."""
    config.setdefault("data", {})
    project = Project(config)
    project.snakemake(*(f"results/variants/{name}/metrics.json" for name in variants))
    return project.folder / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="?", type=Path, help="results/ of a finished run of the cases")
    parser.add_argument("--cases", type=Path, default=BENCH / "cases.yaml")
    parser.add_argument("--labels", type=Path, default=BENCH / "labels.tsv")
    parser.add_argument("--cache", type=Path, help="a folder for what the rules look at")
    options = parser.parse_args()
    config, experiment, cases = labelled(options.cases, options.labels)
    if options.results is None:
        print(f"the pipeline trains {len(cases)} cases", file=sys.stderr, flush=True)
    results = options.results or run_pipeline(config, cases)
    ours = {name: answer_of_project(results / f"variants/{name}/metrics.json") for name in cases}
    answers: dict[str, dict[str, Answer]] = {name: {} for name in RULES}
    variants = {name: experiment.variants[name] for name in cases}
    recorded = recordings(variants, experiment.data["classes"], raw_files(), options.cache)
    for place, (name, recording) in enumerate(recorded, 1):
        print(f"recorded {place} of {len(cases)}: {name}", file=sys.stderr, flush=True)
        for rules, answer in answers_of_rules(recording).items():
            answers[rules][name] = answer
    answers[PROJECT] = ours
    print(summary(cases, answers), by_case(cases, answers), sep="\n\n")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # where the pipeline's working directory is made, to go with it
        try:
            main()
        except UserError as error:
            sys.exit(f"error: {error}")
