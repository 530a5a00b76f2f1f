"""All kinds of findings, put together: what is found about one seed, the most telling first, and the verdict."""

# Each room registers its kinds.
from diagnosis import of_loss, of_pixels, of_run, rates  # noqa: F401
from diagnosis.evidence import Evidence
from diagnosis.kinds import KINDS
from diagnosis.records import Finding, Verdict

# The most telling first: causes before what they bring about, the loss and the pixels before the training.
ORDER = (
    "equal-images",
    "no-influence",
    "decay",
    "momentum",
    "no-gradient",
    "ignores-labels",
    "ignores-class",
    "wrong-way",
    "diverged",
    "unbounded",
    "border-optimum",
    "dead-layer",
    "vanishing",
    "frozen",
    "slow",
    "unchanged",
    "conflicting-images",
    "stuck-images",
    "rate-too-large",
    "will-diverge",
    "worse-than-start",
    "overfit",
    "imbalance",
    "test-pixels",
    "cycle",
    "one-class",
    "no-better-than-constant",
    "little-progress",
    "bad-start",
    "dead-units",
    "floor",
    "not-per-image",
)


def findings(evidence: Evidence) -> list[Finding]:
    """What is found, alarms first, each in ORDER."""
    kinds = [KINDS[name] for name in ORDER]
    looked_for = [kind for kind in kinds if not (kind.of_finished and evidence.autopsy)]
    found = [finding for kind in looked_for if (finding := kind.find(evidence)) is not None]
    return sorted(found, key=lambda finding: not finding.alarm)


def verdict(evidence: Evidence, found: list[Finding]) -> Verdict:
    """fails: diverged, or no better than the best answer that ignores the images, be it by its loss or by the images
    that are right. faulty: an alarm, but none of these. good: no alarm."""
    kinds = {finding.kind for finding in found}
    if kinds & {"diverged", "one-class", "no-better-than-constant"} or evidence.right <= max(evidence.task.pixels.n):
        return "fails"
    return "faulty" if any(finding.alarm for finding in found) else "good"
