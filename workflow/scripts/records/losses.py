"""What float32 makes of one image's loss at every logit, and how the loss is better typed: results/losses/."""

import msgspec

from records.strict import Number

FINITE_SIGNS = set("+0-")  # of a gradient: the signs of finite numbers


class Interval(msgspec.Struct, frozen=True):
    """All float32 logits from low to high, both included, of one class.

    value: 'finite', 'nan', 'inf' or '-inf'. gradient: '+', '0', '-', 'nan', 'inf' or '-inf', as computed in float32; or
        several of '+0-' together, such as '0-', where rounding makes the sign flicker (see losses/intervals.py). Where
        even finite and not finite flicker, all gradients stand there, and the first of the values nan, inf, -inf.
    exact: the sign of the exact gradient, '+', '0' or '-', at one logit inside; None where it is not known.
    """

    low: float
    high: float
    value: str
    gradient: str
    exact: str | None = None

    @property
    def is_finite(self) -> bool:
        return self.value == "finite" and set(self.gradient) <= FINITE_SIGNS

    @property
    def slope(self) -> str | None:
        """The sign that moves an image here; None where none can be told.

        A computed 0 moves nothing. Any other sign that the exact one contradicts is rounding, and the exact one counts.
        """
        if not self.is_finite:
            return None
        return "0" if self.gradient == "0" else self.exact or (self.gradient if len(self.gradient) == 1 else None)


class Infimum(msgspec.Struct, frozen=True):
    """The largest lower bound of φ, exactly, but for a pole or a step between two neighbouring float32 logits.

    value: '-inf' where there is none, 'nan' where φ is defined nowhere. low, high: the logits that attain it, as
    float32; the same twice where it is one. towards: None, or 'inf' or '-inf' where φ only approaches it as the logit
    grows without end to that side; then low and high are the largest or the smallest float32. across: a logit on the
    other side of the border where φ is as low, with more of it in between; None where there is none.
    """

    value: Number
    low: float
    high: float
    towards: str | None
    across: float | None = None


class LabelChart(msgspec.Struct, frozen=True):
    """φ of one label.

    intervals: over all float32 logits, the smallest first.
    least: the smallest finite value that float32 computes, NaN where none is finite.
    infimum: None for a loss that is no sum or mean over images.
    starved_below, starved_above: the logits from which on, downwards and upwards, as far as it is finite, the computed
        gradient is less than half of the exact one or has the other sign; None where no logit does.
    """

    label: int
    intervals: list[Interval]
    least: Number
    infimum: Infimum | None
    starved_below: float | None
    starved_above: float | None


class LossChart(msgspec.Struct, frozen=True):
    """per_image: whether the loss is a sum or mean over images; if not, why_not says so in words, and φ is that of an
    image in the company of two undecided ones, one of each class.

    labels: those of y = 0 and y = 1. same_gradient: both labels have the same gradient, at every logit looked at.
    """

    per_image: bool
    why_not: str | None
    labels: list[LabelChart]
    same_gradient: bool


class Rewrite(msgspec.Struct, frozen=True, kw_only=True):
    """The same function as a loss of config.yaml, typed so that float32 loses less of it (`better` in a LossFile); of
    BCELoss, the cross-entropy without the −100 at which it cuts its logarithms off.

    finite_within: the logit up to which the form and its gradient are finite, to either side, 'inf' where they are
    everywhere. pulls_back: whether its gradient pulls every wrong image towards its class. lost, lost_before: bits of
    24 that float32 loses of value and gradient, the mean over logits and labels. dead, dead_before: at how many of the
    `wrong` logits that stand for wrong images the computed gradient is 0 or of the wrong sign, though the exact one is
    not, or not finite.
    """

    formula: str
    constants: dict[str, float]
    finite_within: Number
    pulls_back: bool
    lost: float
    lost_before: float
    dead: int
    dead_before: int
    wrong: int


class LossFile(msgspec.Struct, frozen=True, kw_only=True):
    """What results/losses/{loss}.json holds: the definition of a loss, its sign chart, and its better form; None where
    it has none, or needs none."""

    definition: list
    chart: LossChart
    better: Rewrite | None
