"""metrics.json: what became of a variant, seed by seed, and why.

Each record is defined here alone, with what its fields mean: workflow/schemas/metrics.schema.yaml is made from these
definitions by `python tests/unit/test_records.py`.
"""

import math
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from common.files import damaged
from records.strict import Number, read_record
from records.training import Counts, Settings

# 'y' or 'yhat' and so on of a class are under its label, '0' or '1'.
ByLabel = Annotated[dict[str, int], Meta(description="images per label, '0' and '1'")]


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest and the largest of some values, NaN left aside; null where nothing else is there."""

    min: Number | None
    max: Number | None


class Input(Range, frozen=True, kw_only=True):
    """What went into a sub-expression: the smallest and the largest of its finite values, null where there is none."""

    expression: Annotated[str, Meta(description="as it was typed")]
    holds: Annotated[
        dict[str, int], Meta(description="how many of its values are `nan`, `+inf` and `-inf`, those that occur")
    ] = field(default_factory=dict)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One sub-expression, what it held and what went into it."""

    expression: Annotated[str, Meta(description="as it was typed; `logits` for the network itself")]
    operation: Annotated[str, Meta(description="its function or operator; `network`; or the name of a torch.nn loss")]
    start: Annotated[int, Meta(description="where it begins in the formula, whose white space is folded; from 0")]
    holds: Annotated[
        dict[str, dict[str, int]],
        Meta(
            description="how many `nan`, `+inf` and `-inf`: per label, '0' and '1', or of `all` where it is one value"
        ),
    ]
    inputs: list[Input]


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A training image."""

    index: Annotated[int, Meta(description="its place among the training images, from 0")]
    y: int
    yhat: Number
    logit: Number


class BrokenNormalization(msgspec.Struct, frozen=True, kw_only=True):
    """Why training pixels are not finite after normalization."""

    culprits: list[Step]
    path: list[Step]
    why: Annotated[str, Meta(description="a part of a sentence")]


class Autopsy(msgspec.Struct, frozen=True, kw_only=True):
    """Why a loss stopped being finite."""

    epoch: Annotated[int, Meta(description="the first whose loss is not finite")]
    cause: Annotated[
        Literal["loss", "gradient", "step", "network", "normalization", "optimizer", "decay", "momentum", "device"],
        Meta(
            description="an expression of the loss; a finite loss whose derivative was not; a step that overflowed;"
            " weights or logits beyond what float32 holds; pixels that were not finite, or too large, in the first"
            " place; a division or root of the optimizer's own; weight decay or momentum that makes weights grow;"
            " an accelerator whose arithmetic gave what the CPU's does not"
        ),
    ]
    sentence: Annotated[str, Meta(description="the whole of it in words; `expressions` in backquotes")]
    largest_weight: Annotated[Number, Meta(description="the largest absolute weight, when the loss broke")]
    logits: Annotated[dict[str, Range], Meta(description="per label, '0' and '1'")]
    yhat_zeros: Annotated[ByLabel, Meta(description="how many ŷ were exactly 0, per label")]
    yhat_ones: Annotated[ByLabel, Meta(description="how many ŷ were exactly 1, per label")]
    culprits: Annotated[
        list[Step], Meta(description="the innermost sub-expressions that broke, the most telling first")
    ]
    path: Annotated[list[Step], Meta(description="from the first culprit out to the loss")]
    image: Annotated[Image | None, Meta(description="the first image concerned; null where it is none in particular")]
    images: Annotated[
        ByLabel | None, Meta(description="cause gradient: at how many images the loss had no finite derivative")
    ] = None
    gradient_norm: Annotated[Number | None, Meta(description="cause step: the norm of its gradient")] = None
    factor: Annotated[
        float | None, Meta(description="cause decay or momentum: by which each step multiplies weights or steps")
    ] = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """When a run that ended well would diverge, if it went on at its pace."""

    epoch: Annotated[int | None, Meta(description="null where none is in sight")]
    why: Annotated[str | None, Meta(description="why none is in sight")] = None
    low: int | None = None
    high: Annotated[
        int | None,
        Meta(
            description="null where a line through fewer epochs never gets there, or in more than ten times the epochs"
        ),
    ] = None
    side: Annotated[
        Literal["upper", "lower"] | None, Meta(description="whether the largest or the smallest logit gets there")
    ] = None
    limit: Annotated[float | None, Meta(description="the logit at which the loss or its gradient is not finite")] = None


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact about how a seed trained, or about its loss or pixels. What does not apply to its kind is left out."""

    kind: Annotated[str, Meta(description="its name; docs/findings.md explains each")]
    alarm: Annotated[bool, Meta(description="whether it keeps the model from being good")]
    sentence: Annotated[str, Meta(description="in words; `expressions` in backquotes")]
    count: Annotated[int | None, Meta(description="how many images (or weights, or units) it is about")] = None
    of: Annotated[int | None, Meta(description="of how many")] = None
    images: Annotated[list[int] | None, Meta(description="the first 50 of those training images, by place")] = None
    exact: Annotated[
        list[Number | None] | None,
        Meta(
            description="of those images, the gradient that the formula has without rounding, by the image's own logit;"
            " null where that is too far out to say"
        ),
    ] = None
    pixels: Annotated[list[int] | None, Meta(description="the pixels concerned, 0 to 783")] = None
    labels: Annotated[list[int] | None, Meta(description="the labels, 0 or 1, of the images concerned")] = None
    low: Annotated[Number | None, Meta(description="the logits concerned begin here")] = None
    high: Annotated[Number | None, Meta(description="the logits concerned end here")] = None
    epoch: Annotated[int | None, Meta(description="from which epoch on")] = None
    period: Annotated[int | None, Meta(description="epochs after which the weights are the same again")] = None
    value: Annotated[Number | None, Meta(description="what was found")] = None
    against: Annotated[Number | None, Meta(description="what it is held against")] = None
    factor: Annotated[float | None, Meta(description="by which each step multiplies")] = None
    layers: Annotated[
        list[float] | None, Meta(description="per layer: dead units; or the share of its weights that moved")
    ] = None


Verdict = Literal["good", "faulty", "fails"]
WORDS = ("good", "faulty", "fails", "diverged")  # of a model, from the best to the worst


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the settings, and what became of the same seed, trained with it from the start, in full."""

    change: Annotated[str, Meta(description="a part of a sentence; `expressions` in backquotes")]
    ways: Annotated[list[str], Meta(description="one or two, of changing the settings; docs/findings.md explains each")]
    same_function: Annotated[bool, Meta(description="whether only the way in which the loss is computed changed")]
    verdict: Verdict
    correct: Annotated[int | None, Meta(description="right training images; null where it diverged")]
    test_correct: Annotated[int | None, Meta(description="right test images; null where it diverged or a ŷ is NaN")]
    p_value: Annotated[
        float | None,
        Meta(
            description="of McNemar's exact test on the test images, against the seed without the change; null where"
            " one of them diverged"
        ),
    ]
    finding: Annotated[str | None, Meta(description="the kind of the most telling alarm that is left, if any")]
    count: Annotated[
        int | None,
        Meta(description="how many images, weights or units that finding is about; null where it is of none"),
    ]
    snippet: Annotated[str | None, Meta(description="lines for config.yaml; null where it is no cure")]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one seed."""

    seed: int
    status: Literal["finished", "diverged"]
    diverged_epoch: Annotated[
        int | None,
        Meta(description="the first epoch whose loss is not finite; `epochs` if only the last step broke the weights"),
    ]
    correct: Annotated[int | None, Meta(description="right training images; null where the seed diverged")]
    n: Annotated[int, Meta(description="training images")]
    accuracy: Annotated[float | None, Meta(description="correct / n")]
    test_correct: Annotated[
        int | None, Meta(description="right test images; null where the seed diverged or a ŷ is NaN")
    ]
    test_n: Annotated[int, Meta(description="test images")]
    test_accuracy: Annotated[float | None, Meta(description="test_correct / test_n")]
    final_loss: Annotated[float | None, Meta(description="of the last epoch, before its step; null where it diverged")]
    max_logit: Annotated[
        float | None, Meta(description="the largest finite logit of a training image that any epoch saw")
    ]
    epochs: Annotated[int, Meta(description="steps taken")]
    seconds: Annotated[float, Meta(description="that the training loop took")]
    margin: Annotated[float | None, Meta(description="24 ln 2, where float32 rounds ŷ to exactly 1, minus max_logit")]
    forecast: Annotated[Forecast | None, Meta(description="null where the seed diverged")]
    autopsy: Annotated[Autopsy | None, Meta(description="null where the seed finished")]
    verdict: Annotated[
        Verdict,
        Meta(
            description="fails: diverged, or its answers to the training or the test images are hardly better than"
            " guessing; faulty: a finding is an alarm; good: none is"
        ),
    ]
    progress: Annotated[
        float | None,
        Meta(
            description="of the loss's way from the best single answer for all images (0) to the best answers of all"
            " (1); null where that is not defined"
        ),
    ]
    findings: Annotated[list[Finding], Meta(description="the most telling first, alarms before the others")]
    cures: Annotated[
        list[Trial],
        Meta(
            description="changes with which it is good and loses no images, the best first; of the first seed that"
            " is not good"
        ),
    ] = field(default_factory=list)
    tried: Annotated[list[Trial], Meta(description="the other trials, as they were tried")] = field(
        default_factory=list
    )

    @property
    def test_wrong(self) -> int | None:
        return None if self.test_correct is None else self.test_n - self.test_correct

    @property
    def word(self) -> str:
        """One of WORDS: a verdict, but `diverged` for what fails by that."""
        return "diverged" if self.status == "diverged" else self.verdict


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """metrics.json: what became of one variant."""

    variant: str
    device: Annotated[str, Meta(description="that it was trained on: cpu, mps, or cuda and the accelerator's name")]
    code: Annotated[str, Meta(description="what changes with the code that trained it; not with its comments")]
    classes: Annotated[list[int | str], Meta(description="what y = 0 and y = 1 stand for")]
    settings: Settings
    counts: Counts
    seeds: Annotated[list[Outcome], Meta(description="in the order of the config")]

    @property
    def word(self) -> str:
        """That of its worst model."""
        return max((model.word for model in self.seeds), key=WORDS.index)

    @property
    def state(self) -> str:
        """Its word and, unless it is good, of how many of several models: 'diverged 4 of 10'."""
        alike = sum(model.word == self.word for model in self.seeds)
        return self.word if self.word == "good" or len(self.seeds) == 1 else f"{self.word} {alike} of {len(self.seeds)}"


def finding(kind: str, sentence: str, alarm: bool = True, **facts) -> Finding:
    """A Finding, each of its numbers one that strict JSON can hold."""
    return Finding(kind=kind, alarm=alarm, sentence=sentence, **{name: _strict(fact) for name, fact in facts.items()})


def _strict(fact):
    if isinstance(fact, list):
        return [_strict(item) for item in fact]
    return str(fact) if isinstance(fact, float) and not math.isfinite(fact) else fact


def read_metrics(path: str | Path, seeds: list[int]) -> Metrics:
    """metrics.json of a variant with these seeds. Raises UserError where the file holds something else."""
    metrics = read_record(path, Metrics)
    if (found := [model.seed for model in metrics.seeds]) != seeds:
        raise damaged(path, f"found the seeds {', '.join(map(str, found))}, expected {', '.join(map(str, seeds))}")
    return metrics
