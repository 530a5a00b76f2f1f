"""What to type instead: the forms that laws give, and which of them is the better one."""

from functools import cache

import chart
import pytest
import torch
from hypothesis import assume, given, settings

from builders.formulas import BEST, expressions, random_losses, tree
from builders.losses import LOSSES, loss_of
from common.errors import UserError
from experiment.definitions import loss_definition
from formulas.parsing import FormulaError, parse_loss
from formulas.rewriting import forms
from losses import exact
from losses.exact import MP
from losses.one_image import one_image
from losses.rewrites import better_form, form_to_tell, in_other_words, is_clean, is_same
from losses.sign_chart import sign_chart
from records.losses import LossFile, Rewrite
from records.strict import read_record
from reporting import losses
from training.loss import FormulaLoss, build_loss

CROSS_ENTROPIES = (
    "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
    "mean(-y * log(yhat) - (1 - y) * log(1 - yhat))",
    "-mean(y * log(yhat)) - mean((1 - y) * log(1 - yhat))",
    "mean(log(1 + exp(logits)) - y * logits)",
    "mean(softplus(logits) - y * logits)",
    "mean(log1p(exp(-logits * (2 * y - 1))))",
    "-mean(log(where(y == 1, yhat, 1 - yhat)))",
    "-mean(log(y * yhat + (1 - y) * (1 - yhat)))",
    "-mean(log(yhat ** y * (1 - yhat) ** (1 - y)))",
    "-mean(log(1 - abs(y - yhat)))",
    "-mean(y * log(yhat / (1 - yhat)) + log(1 - yhat))",
    "mean(y * log(1 / yhat) + (1 - y) * log(1 / (1 - yhat)))",
    "-mean(y * log(1 / (1 + exp(-logits))) + (1 - y) * log(1 - 1 / (1 + exp(-logits))))",
    "mean(maximum(logits, 0) - y * logits + log(1 + exp(-abs(logits))))",
    "-mean(y * log(yhat) + (1 - y) * log1p(-yhat))",
)


def loss(formula: str) -> FormulaLoss:
    return FormulaLoss(formula, tree(formula))


@cache
def better_of(formula: str) -> Rewrite | None:
    """Several tests ask for that of the same loss."""
    return better_form(loss(formula))


@pytest.mark.parametrize("formula", CROSS_ENTROPIES)
def test_cross_entropy_however_it_is_typed_has_one_best_form(formula):
    found = better_of(formula)
    assert found.formula == BEST
    assert found.lost < found.lost_before
    assert found.dead == 0
    assert is_clean(loss(BEST))


@pytest.mark.parametrize(
    ("formula", "best"),
    [
        ("mean((yhat - y) ** 2)", "mean((1 - sigmoid((2 * y - 1) * logits)) ** 2)"),
        ("mean(sqrt((yhat - y) ** 2))", "mean(1 - sigmoid((2 * y - 1) * logits))"),
        ("sum((yhat - y) ** 2)", "sum((1 - sigmoid((2 * y - 1) * logits)) ** 2)"),
        (
            "-mean((1 - yhat) ** 2 * y * log(yhat) + yhat ** 2 * (1 - y) * log(1 - yhat))",
            "mean(sigmoid((1 - 2 * y) * logits) ** 2 * softplus((1 - 2 * y) * logits))",
        ),
        ("mean(y * (1 - yhat) / yhat + (1 - y) * yhat / (1 - yhat))", "mean(exp((1 - 2 * y) * logits))"),
        (
            "-3 * mean(y * log(yhat)) - mean((1 - y) * log(1 - yhat))",
            "mean(where(y == 1, 3 * softplus(-logits), softplus(logits)))",
        ),
        (
            "-sum(y * log(yhat)) / sum(y) - sum((1 - y) * log(1 - yhat)) / sum(1 - y)",
            "sum(y * softplus(-logits)) / sum(y) + sum((1 - y) * softplus(logits)) / sum(1 - y)",
        ),
    ],
)
def test_best_form_of_other_losses(formula, best):
    assert better_form(loss(formula)).formula == best


@pytest.mark.parametrize(
    "formula",
    [
        BEST,
        "mean(relu(1 - (2 * y - 1) * logits))",
        "mean((logits - y) ** 2)",
        "mean(exp((1 - 2 * y) * logits))",
        # Nothing to keep: the wrong way, one class, no labels, no gradient; no loss of single images.
        "mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
        "-mean(y * log(yhat))",
        "mean(yhat ** 2)",
        "mean(clamp(yhat, 2, 3))",
        "sqrt(mean((yhat - y) ** 2))",
    ],
)
def test_loss_without_a_better_form(formula):
    assert better_form(loss(formula)) is None


@pytest.mark.parametrize(
    ("value", "best"),
    [
        ({"module": "BCELoss"}, BEST),
        ({"module": "BCELoss", "reduction": "sum"}, BEST.replace("mean", "sum")),
        ({"module": "BCEWithLogitsLoss", "input": "logits"}, BEST),
        (
            {"module": "BCEWithLogitsLoss", "input": "logits", "pos_weight": 3.0},
            "mean(where(y == 1, pos_weight * softplus(-logits), softplus(logits)))",
        ),
        ({"module": "MSELoss"}, "mean((1 - sigmoid((2 * y - 1) * logits)) ** 2)"),
        ({"formula": "-mean(log(where(y == 1, yhat, a * (1 - yhat))))", "a": 0.5}, None),
    ],
)
def test_best_form_of_modules_and_of_formulas_with_constants(value, best):
    found = better_form(build_loss(loss_definition(value)))
    if best is None:
        assert "a" in found.constants
    else:
        assert found.formula == best
        assert found.constants == ({"pos_weight": 3.0} if "pos_weight" in value else {})
    assert isinstance(loss_definition({"formula": found.formula, **found.constants}), list)


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        (BEST, "safe"),
        ("mean(softplus(logits) - y * logits)", "safe"),
        (CROSS_ENTROPIES[0], "not finite for images that are right; can be typed better"),
        ("sqrt(mean((yhat - y) ** 2))", "safe"),
    ],
)
def test_file_of_a_loss_has_its_chart_and_the_form_to_tell(formula, told, tmp_path):
    definition = loss_definition(formula)
    path = tmp_path / "losses/l.json"
    assert chart.main(definition, {"chart": path, "sums": path.with_name("l.json.sha256")}) == told
    typed = loss(formula)
    written = LossFile(definition=definition, chart=sign_chart(typed), better=form_to_tell(typed))
    assert read_record(path, LossFile) == written
    path.write_text(path.read_text().replace("finite", "nan", 1))
    with pytest.raises(UserError, match=r"l\.json: damaged: not what l\.json\.sha256 beside it says"):
        read_record(path, LossFile)


@pytest.mark.parametrize(
    "value",
    [
        # Fine as they are.
        "mean(softplus(logits) - y * logits)",
        {"module": "BCEWithLogitsLoss", "input": "logits", "pos_weight": 0.001},
        # More wrong images are pulled back, and more bits are lost.
        "mean((yhat - y) ** 2)",
        {"module": "HuberLoss"},
        # A hundredth of a bit.
        "-mean(y * log((tanh(logits) + 1) / 2) + (1 - y) * log((1 - tanh(logits)) / 2))",
    ],
)
def test_better_form_of_a_loss_that_needs_none_or_would_lose_by_it_is_not_told(value):
    typed = loss_of(value)
    assert better_form(typed)
    assert form_to_tell(typed) is None


def test_what_is_told_of_a_better_form_holds_at_every_logit():
    """Computed here by torch, at logits of all sizes."""
    logits = torch.cat([sign * 10.0 ** torch.linspace(-40, 38.5, 40_001) for sign in (-1, 1)])
    told = {name: form for name, value in LOSSES.items() if (form := form_to_tell(loss_of(value)))}
    assert set(told) == {"bce", "manual", "exp", "exp-capped", "flat-start", "focal", "weighted"}
    for name, form in told.items():
        assert not is_clean(loss_of(LOSSES[name]))
        assert form.dead <= form.dead_before and form.lost <= form.lost_before
        image = one_image(FormulaLoss.of(form.formula, form.constants))
        is_pulled = []
        for label in (0, 1):
            value, gradient = image.in_float32(torch.full_like(logits, label), logits)
            is_finite = value.isfinite() & gradient.isfinite()
            assert is_finite[logits.abs() < float(form.finite_within)].all(), name
            assert is_finite.all() == (form.finite_within == "inf"), name
            is_pulled.append(((gradient < 0) if label else (gradient > 0))[(logits < 0) if label else (logits > 0)])
        assert torch.cat(is_pulled).all() == form.pulls_back, name


SAFELY = f"typed safely: `{BEST}`. It is never NaN, and it pulls back every wrong image."


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (CROSS_ENTROPIES[0], f"The same loss, {SAFELY}"),
        ({"module": "BCELoss"}, f"The same function without a cut of the logarithms at −100, {SAFELY}"),
        ({"module": "BCEWithLogitsLoss", "input": "logits"}, None),
        (
            "mean((1e8 + (yhat - y) ** 2) - 1e8)",
            "The same loss, typed so that float32 loses less of it: `mean((1 - sigmoid((2 * y - 1) * logits)) ** 2)`."
            " It is never NaN. On average float32 loses 2.0 of its 24 bits instead of 11.4. The gradient is lost at 0"
            " of 62 logits of wrong images instead of 4.",
        ),
        (
            "-3 * mean(y * log(yhat)) - mean((1 - y) * log(1 - yhat))",
            "The same loss, typed so that float32 loses less of it: `mean(where(y == 1, 3 * softplus(-logits),"
            " softplus(logits)))`. It is finite up to a logit of about 1.134e+38 to either side. It pulls back every"
            " wrong image. On average float32 loses 0.0 of its 24 bits instead of 5.2.",
        ),
        (
            {"formula": "-mean(y * log(yhat + eps) + (1 - y) * log(1 - yhat + eps))", "eps": 1e-7},
            "The same loss, typed so that float32 loses less of it: `mean(-log(sigmoid((2 * y - 1) * logits) + eps))`,"
            " eps = 1e-07. It is never NaN. The gradient is lost at 2 of 62 logits of wrong images instead of 6.",
        ),
    ],
)
def test_page_says_of_a_better_form_what_is_true_of_it(value, told):
    definition, typed = loss_definition(value), loss_of(value)
    known = LossFile(definition=definition, chart=sign_chart(typed), better=form_to_tell(typed))
    assert losses.better(known) == told


@settings(max_examples=150)
@given(expressions())
def test_rewritten_formula_is_the_same_function(expression):
    formula, _ = expression
    try:
        typed = parse_loss(f"mean({formula} + 0 * yhat)", {})
    except FormulaError:
        return
    assume(one_image(FormulaLoss(typed.text, typed)).why_not is None)
    for other in forms(typed):
        try:
            reread = parse_loss(other, {})
        except FormulaError:  # mean(1 + 0 * yhat), whose logits are gone
            continue
        assert_same_where_both_are_finite(typed, reread)


@pytest.mark.parametrize("formula", random_losses(90, 150))
def test_rewritten_random_loss_is_the_same_function(formula):
    for other in forms(tree(formula)):
        assert_same_where_both_are_finite(tree(formula), tree(other))


def assert_same_where_both_are_finite(typed, other) -> None:
    for label in (0, 1):
        for logit in (-40.0, -3.0, -0.7, -0.01, 0.02, 0.3, 1.0, 5.5, 30.0):
            a, b = (exact.exact(one, label, logit).value for one in (typed, other))
            if MP.isfinite(a) and MP.isfinite(b):
                assert abs(a - b) <= 1e-30 * max(abs(a), abs(b), 1e-10), (typed.text, other.text, label, logit)


@pytest.mark.parametrize("formula", random_losses(150, 190))
def test_better_form_is_the_same_function_and_loses_less(formula):
    found = better_of(formula)
    if found:
        assert is_same(loss(formula), loss(found.formula))
        assert (found.dead, round(found.lost, 2)) < (found.dead_before, round(found.lost_before, 2))


@pytest.mark.parametrize("formula", (*random_losses(150, 190), *CROSS_ENTROPIES))
def test_better_form_is_nowhere_worse_for_wrong_images(formula):
    """Where the loss is finite and pulls a wrong image back, so does its better form."""
    found = better_of(formula)
    if not found:
        return
    logits = torch.tensor([sign * 1.17**power for power in range(-30, 40) for sign in (-1, 1)])
    for label in (0, 1):
        y = torch.full_like(logits, label)
        (value_before, before), (value, gradient) = (
            one_image(one).in_float32(y, logits) for one in (loss(formula), loss(found.formula))
        )
        is_pulled = (
            (before * (1 - 2 * label) > 0)
            & before.isfinite()
            & value_before.isfinite()
            & (logits * (1 - 2 * label) > 0)
        )
        lost = is_pulled & ~((gradient * (1 - 2 * label) > 0) & value.isfinite())
        slopes = [exact.exact(tree(formula), label, logit).slope for logit in logits[lost].tolist()]
        assert all(abs(slope) < 2.0**-126 for slope in slopes), (formula, found.formula, logits[lost])


def test_another_function_is_not_the_same():
    assert is_same(loss(CROSS_ENTROPIES[0]), loss(BEST))
    assert not is_same(loss("mean(softplus((1 - 2 * y) * logits) + 1e-29 * logits)"), loss(BEST))
    assert not is_same(loss("mean((2 - y) * softplus((1 - 2 * y) * logits))"), loss(BEST))


@pytest.mark.parametrize(
    ("formula", "is_it"),
    [
        (BEST, True),
        ("mean(softplus(logits) - y * logits)", True),
        ("mean(exp((1 - 2 * y) * logits))", True),  # infinite where the function itself is beyond float32
        (CROSS_ENTROPIES[0], False),
        ("mean((yhat - y) ** 2)", False),
        ("mean((1 - sigmoid((2 * y - 1) * logits)) ** 2)", True),
        ("mean(relu(abs(yhat - y) - 0.6))", False),
        ("mean(y * log(yhat + 1e-7) + (1 - y) * log(1 - yhat + 1e-7))", False),
    ],
)
def test_clean_loss_is_finite_and_has_a_gradient_for_wrong_images(formula, is_it):
    assert is_clean(loss(formula)) is is_it


def test_module_is_written_as_the_formula_that_it_computes():
    loss = build_loss(loss_definition({"module": "L1Loss", "reduction": "sum"}))
    assert one_image(loss).written.text == "sum(abs(yhat - y))"


def test_constant_that_is_folded_into_a_number_keeps_its_name():
    """`1 + eps` is one number of the tree."""
    typed = FormulaLoss.of("-mean(log(1 + eps - sigmoid((1 - 2 * y) * logits)))", {"eps": 1e-7})
    assert in_other_words(typed, "mean(log(1 + eps - sigmoid((2 * y - 1) * logits)))").constants == (("eps", 1e-7),)
    with pytest.raises(FormulaError, match="unknown name"):
        FormulaLoss.of(typed.text, {})
