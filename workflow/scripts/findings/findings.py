"""All kinds of findings, put together: what is found about one seed, the most telling first, and the verdict."""

# Each room registers its kinds.
from findings import of_answers, of_loss, of_pixels, of_run, rates  # noqa: F401
from findings.evidence import Evidence
from findings.kinds import KINDS
from records.metrics import Finding, Verdict

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
    "never-finite",
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
    "does-not-generalize",
    "will-diverge",
    "worse-than-start",
    "overfit",
    "imbalance",
    "test-pixels",
    "cycle",
    "one-class",
    "chance-level",
    "no-better-than-constant",
    "little-progress",
    "bad-start",
    "dead-units",
    "floor",
    "not-per-image",
)

FAIL = {"diverged", "one-class", "chance-level"}  # a model with one of these fails


def findings(evidence: Evidence) -> list[Finding]:
    """What is found, alarms first, each in ORDER."""
    kinds = [KINDS[name] for name in ORDER]
    looked_for = [kind for kind in kinds if not (kind.of_finished and evidence.autopsy)]
    found = [finding for kind in looked_for if (finding := kind.find(evidence)) is not None]
    return sorted(found, key=lambda finding: not finding.alarm)


def verdict(evidence: Evidence, found: list[Finding]) -> Verdict:
    """By the answers, then by the findings.

    fails: it diverged; or its answers to the training images are hardly better than guessing; or they do not
    generalize, and those to the test images may be guessed. faulty: an alarm, but none of these. good: no alarm.
    """
    kinds = {finding.kind for finding in found}
    if kinds & FAIL or ("does-not-generalize" in kinds and evidence.is_test_guessed):
        return "fails"
    return "faulty" if any(finding.alarm for finding in found) else "good"
