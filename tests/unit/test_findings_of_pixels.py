"""The findings about pixels and classes, each kind on a case that has it and beside one that has not."""

import torch

from builders.findings import found
from builders.training import LOGITS, changed


def test_equal_and_conflicting_images_are_told():
    kinds = found(LOGITS, changed(lambda parts: parts["x_train"].zero_()))
    assert kinds["equal-images"].labels == [0, 1]
    assert "conflicting-images" not in kinds

    def one_class(parts):
        parts["x_train"][:30] = 1.0

    assert found(LOGITS, changed(one_class))["equal-images"].labels == [0]

    def three_copies(parts):
        parts["x_train"][40] = parts["x_train"][41] = parts["x_train"][5]

    finding = found(LOGITS, changed(three_copies))["conflicting-images"]
    assert (finding.count, finding.of, finding.against) == (3, 60, 59)
    assert not {"equal-images", "conflicting-images"} & set(found())


def test_negative_zero_is_zero_when_images_are_compared():
    def signs(parts):
        parts["x_train"][:] = 0.0
        parts["x_train"][::2] = -0.0

    assert found(LOGITS, changed(signs))["equal-images"].count == 60


def test_test_images_beyond_the_training_images_are_told():
    def broken(parts):
        parts["x_test"][3, 100] = torch.inf

    finding = found(LOGITS, changed(broken))["test-pixels"]
    assert (finding.alarm, finding.count, finding.pixels) == (True, 1, [100])

    def far(parts):
        parts["x_test"][3:5, 7] = 1e4

    finding = found(LOGITS, changed(far))["test-pixels"]
    assert (finding.alarm, finding.count, finding.pixels) == (False, 2, [7])


def test_pixels_without_influence_are_told():
    finding = found(LOGITS, changed(lambda parts: parts["x_train"].mul_(1e-30)))["no-influence"]
    assert finding.alarm
    assert "no-influence" not in found()


def test_imbalance_is_an_alarm_where_the_rare_class_is_mostly_wrong():
    def rare(parts):
        parts["y_train"][:] = 1.0
        parts["y_train"][:3] = 0.0

    finding = found(LOGITS, changed(rare), epochs=1, lr=1e-6)["imbalance"]
    assert (finding.count, finding.of, finding.labels) == (3, 60, [0])
    assert finding.alarm is (finding.value < 0.5)
