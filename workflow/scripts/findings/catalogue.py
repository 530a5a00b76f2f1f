"""The catalogue of the kinds of findings: what each says, where it comes from, and what helps.

docs/findings.md and the page are made from it. It is plain data, so the page explains a kind without torch. The
function that finds a kind is registered under its name: findings/finders.py.
"""

from findings.causes import CAUSE_KINDS
from findings.symptoms import SYMPTOM_KINDS

CATALOGUE = {kind.name: kind for kind in (*CAUSE_KINDS, *SYMPTOM_KINDS)}

# The test images are to blame: no setting of the training mends these.
OF_TEST_IMAGES = {"wrong-way-on-test", "test-unlike-training"}


def explanations() -> dict[str, dict[str, str]]:
    """{kind: means, why, helps, alarm}, the most telling first, as the page reads them."""
    return {
        name: {"means": kind.means, "why": kind.why, "helps": kind.helps, "alarm": kind.alarm}
        for name, kind in CATALOGUE.items()
    }
