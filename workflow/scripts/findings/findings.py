"""All kinds of findings, put together: what is found about one seed, the most telling first, and the verdict."""

# Each room registers its finders.
from findings import of_answers, of_loss, of_pixels, of_run, of_trials  # noqa: F401
from findings.catalogue import CATALOGUE
from findings.evidence import Evidence
from findings.finders import FINDERS
from records.metrics import Finding, Verdict


def findings(evidence: Evidence) -> list[Finding]:
    """What is found, alarms first, each in the order of the catalogue."""
    looked_for = [kind.name for kind in CATALOGUE.values() if not (kind.of_finished and evidence.autopsy)]
    found = [finding for name in looked_for if (finding := FINDERS[name](evidence)) is not None]
    return sorted(found, key=lambda finding: not finding.alarm)


def verdict(evidence: Evidence, found: list[Finding]) -> Verdict:
    """By the answers, then by the findings.

    fails: it diverged; or its answers to the training images are hardly better than guessing; or they do not
    generalize, and those to the test images may be guessed. faulty: an alarm, but none of these. good: no alarm.
    """
    kinds = {finding.kind for finding in found}
    if any(CATALOGUE[kind].fails for kind in kinds) or ("does-not-generalize" in kinds and evidence.is_test_guessed):
        return "fails"
    return "faulty" if any(finding.alarm for finding in found) else "good"
