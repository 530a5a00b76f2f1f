"""What a loss was meant to be: without its guards, for both classes, the right way."""

import pytest

from builders.formulas import BEST, tree
from formulas.meant import mirrored, negated, unguarded
from formulas.parsing import parse_loss


@pytest.mark.parametrize(
    ("formula", "without", "guards"),
    [
        ("-mean(y * log(yhat + 1e-7) + (1 - y) * log(1 - yhat + 1e-7))", BEST, ["+ 1e-7"]),
        ("-mean(y * log(yhat + eps) + (1 - y) * log(1 - (yhat - eps)))", BEST, ["+ eps", "- eps"]),
        (
            "-mean(y * log(clamp(yhat, eps, 1 - eps)) + (1 - y) * log(maximum(1 - yhat, eps)))",
            BEST,
            ["clamp(…, eps, 1 - eps)", "maximum(…, eps)"],
        ),
        ("mean(log(1 + exp(minimum(logits, 80))) - y * logits)", BEST, ["minimum(…, 80)"]),
        # Wherever it stands, so that none is left in what is said to be without.
        ("-mean(y * log(yhat + 1e-9) + (1 - y) * log(1 + 1e-9 - yhat))", BEST, ["+ 1e-9"]),
        ("-mean(y * log(yhat + 1e-9) + (1 - y) * log(1.000000001 - yhat))", BEST, ["+ 1e-9"]),
        ("mean(softplus((1 - 2 * y) * log((yhat + eps) / (1 - yhat + eps))))", BEST, ["+ eps"]),
        (
            "-mean(y * log(yhat * (1 - eps) + eps) + (1 - y) * log(1 - yhat * (1 - eps)))",
            BEST,
            ["- eps", "+ eps"],
        ),
    ],
)
def test_loss_without_its_guards(formula, without, guards):
    assert unguarded(parse_loss(formula, {"eps": 1e-7})) == (without, guards)


@pytest.mark.parametrize("formula", [BEST, "mean(relu(1 - (2 * y - 1) * logits))", "mean(maximum(0, logits) + 0.001)"])
def test_loss_without_guards_has_none_to_lose(formula):
    assert unguarded(tree(formula)) is None


def test_meant_losses():
    assert mirrored(tree("mean(relu(1 - y * logits))"), 1) == "mean(relu(1 - (2 * y - 1) * logits))"
    assert mirrored(tree("-mean(y * log(yhat))"), 1) == BEST
    assert negated(tree("-mean(y * log(yhat) - (1 - y) * log(1 - yhat))"), {0}) == BEST
    assert negated(tree("mean(y * log(yhat) + (1 - y) * log(1 - yhat))"), {0, 1}) == BEST
