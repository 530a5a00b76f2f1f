"""A change that was trained with, held against the model that it should mend: the patient."""

from dataclasses import dataclass
from functools import cached_property

from comparing.statistics import SIGNIFICANT
from cures.change import SettingsChange
from findings.evidence import Evidence
from findings.gains import Gains, gains
from findings.judging import Judged


@dataclass(frozen=True)
class Attempt:
    change: SettingsChange
    patient: Evidence
    made: Judged

    @property
    def alarms(self) -> list[str]:
        """The kinds of those that are left."""
        return [finding.kind for finding in self.made.outcome.findings if finding.alarm]

    @property
    def right(self) -> int:
        """Images, of training and test; 0 where it diverged."""
        outcome = self.made.outcome
        return (outcome.correct or 0) + (outcome.test_correct or 0)

    @cached_property
    def gains(self) -> tuple[Gains, Gains] | None:
        """Of training and test images; None where one of the two diverged."""
        before, after = self.patient, self.made.evidence
        if before.end is None or after.end is None:
            return None
        return gains(~before.wrong, ~after.wrong), gains(before.right_test_images, after.right_test_images)

    @property
    def loses_images(self) -> bool:
        """Of the training images only where no test images are gained: those learned by heart are no loss."""
        if self.gains is None:
            return False
        of_training, of_test = self.gains
        pays = of_test.gained > of_test.lost and of_test.p_value < SIGNIFICANT
        return of_test.is_loss or (of_training.is_loss and not pays)

    @property
    def is_better(self) -> bool:
        """Whether it has more images right beyond luck, or does not fail where the patient diverged."""
        if self.loses_images or self.made.outcome.verdict == "fails":
            return False
        return self.patient.end is None or (self.gains is not None and any(one.is_gain for one in self.gains))

    @property
    def is_cure(self) -> bool:
        """Good, which the patient is not, and no images lost."""
        return self.made.outcome.verdict == "good" and not self.loses_images


def is_clearly_better(other: Attempt, attempt: Attempt) -> bool:
    """Whether another has more images right, of training or test, by more than luck."""
    (right, test_right), (others, others_test) = (
        (~one.made.evidence.wrong, one.made.evidence.right_test_images) for one in (attempt, other)
    )
    return gains(others, right).is_loss or gains(others_test, test_right).is_loss
