"""What the first screen says helps the variants of a cause: who is cured by what, and what is to be typed where."""

import pytest
import yaml

from builders.records import DEFAULTS, diverged, metrics, outcome, settings, trial
from records.losses import LossChart, LossFile, Rewrite
from records.metrics import Metrics, Outcome, finding
from reporting import answer, cures

KINDS = {
    "stuck-images": {"means": "images are wrong, and stay so: more of it", "helps": "another loss"},
    "wrong-way-on-test": {"means": "fewer test images are right", "helps": "a look at the labels"},
}
SAME = {"same_function": True, "snippet": "losses:\n  manual-stable: mean(f)\nvariants:\n  v-stable: {lr: 0.1}\n"}
PIXELS = {"ways": ["pixels"], "snippet": "normalizations:\n  n-unit: x / 255\nvariants:\n  v-unit: {lr: 0.1}\n"}


def stuck(good=(), in_vain=(), seed=1, **facts) -> Outcome:
    return outcome(seed, kind="stuck-images", n=80, correct=70, cures=list(good), tried=list(in_vain), **facts)


def remedies(found: list[Metrics], variants: dict | None = None, losses: dict | None = None, trials=4) -> list:
    """(who, sentence, lines) of each cause."""
    variants = variants or {entry.variant: settings("manual") for entry in found}
    causes = answer.causes(found, variants, KINDS, losses or {}, trials, DEFAULTS)
    return [(one.who, one.remedy and one.remedy.sentence, one.remedy and one.remedy.lines) for one in causes]


def loss_file(formula: str | None, *definition, **constants: float) -> LossFile:
    """Of a loss whose better form is this formula; None where it has none."""
    figures = {"lost": 0.4, "lost_before": 9.1, "dead": 0, "dead_before": 120, "wrong": 200}
    facts = figures | {"finite_within": "inf", "pulls_back": True, "constants": constants}
    better = formula and Rewrite(formula=formula, **facts)
    chart = LossChart(per_image=True, why_not=None, labels=[], same_gradient=False)
    return LossFile(definition=list(definition or ("formula", "mean(y)", [])), chart=chart, better=better)


def test_one_line_under_losses_cures_all_variants_of_the_loss():
    cure = trial("`f`, the same function", **SAME)
    found = metrics(a=stuck([cure]), b=stuck([cure]), c=stuck([cure]), d=outcome())
    ((who, sentence, lines),) = remedies(found)
    assert who == "manual, 3 variants"
    assert sentence == "Cure: `f`, the same function: 80 of 80 right; tried on 3, cures 3."
    assert yaml.safe_load(lines.text) == {"losses": {"manual": "mean(f)"}}
    where = "In config.yaml, in place of `manual` under `losses:`; 1 other variant has this loss, too."
    assert (lines.whose, lines.where) == ("manual", where)


def test_cause_is_of_one_loss_so_no_cure_speaks_for_another():
    """Of the other loss it is another function, or nobody tried it."""
    cure = trial("`f`, the same function", **SAME)
    variants = {"a": settings("manual"), "b": settings("manual"), "c": settings("eps"), "d": settings("eps")}
    found = metrics(a=stuck([cure]), b=stuck([cure]), c=stuck([], [trial("`g`", verdict="faulty")]), d=stuck())
    assert [(who, sentence) for who, sentence, _ in remedies(found, variants)] == [
        ("manual, 2 variants", "Cure: `f`, the same function: 80 of 80 right; tried on 2, cures 2."),
        ("eps, 2 variants", "Nothing that was tried cures c."),
    ]


def test_two_changes_are_two_cures_though_they_begin_with_one_formula():
    one, both = trial("`f`", **SAME), trial("`f` and Adam with the learning rate 0.002", **SAME)
    found = metrics(a=stuck([one]), b=stuck([one]), c=stuck([both]), d=stuck([both, one]))
    assert [(who, sentence) for who, sentence, _ in remedies(found)] == [
        ("manual, 2 variants", "Cure: `f`: 80 of 80 right; tried on 2, cures 2."),
        (
            "manual, 2 variants",
            "Cure: `f` and Adam with the learning rate 0.002: 80 of 80 right; tried on 2, cures 2.",
        ),
    ]


def test_what_is_not_cured_is_named_with_the_commonest_cure_and_counted_where_it_was_tried():
    cure, refused = trial("`f`", correct=79, **SAME), trial("`f`", verdict="good", correct=60)
    others = {f"x{place}": stuck() for place in range(8)}
    found = metrics(a=stuck([cure]), b=stuck([trial("`f`", **SAME)]), c=stuck([], [refused]), d=stuck(), **others)
    ((who, sentence, lines),) = remedies(found)
    assert who == "manual, 12 variants"
    assert sentence == (
        "Cure: `f`: 79 to 80 of 80 right; tried on 3, cures 2; not cured: c; no such seed was tried of d, x0, x1, x2,"
        " x3, x4 and 3 more."
    )
    assert lines.where.endswith("; 10 other variants have this loss, too.")


def test_single_variant_that_is_cured_keeps_its_own_lines():
    cure = trial("`f`", **SAME)
    for found in (metrics(a=stuck([cure])), metrics(a=stuck([cure]), b=stuck([], [trial("`f`", verdict="faulty")]))):
        ((_, _, lines),) = remedies(found)
        assert (lines.whose, lines.where) == ("a", "For config.yaml, in place of a.")
        assert set(yaml.safe_load(lines.text)) == {"losses", "variants"}


@pytest.mark.parametrize(
    ("change", "snippet"),
    [
        ("pixels `x / 255`", PIXELS["snippet"]),
        ("`f` and the learning rate 9", "losses:\n  m: mean(f)\nvariants:\n  v: {lr: 9, seeds: [1]}\n"),
        (
            "`f` and pixels `x`",
            "losses:\n  m: mean(f)\nnormalizations:\n  n: x\nvariants:\n  v: {normalization: n}\n",
        ),
        ("`f` and Adam", "losses:\n  m: mean(f)\nvariants:\n  v: {optimizer: {name: Adam, eps: 1.0}}\n"),
    ],
)
def test_cure_that_changes_more_than_the_loss_has_the_lines_of_the_first_variant(change, snippet):
    cure = trial(change, snippet=snippet)
    ((_, sentence, lines),) = remedies(metrics(a=stuck([cure]), b=stuck([cure]), c=stuck()))
    assert sentence == f"Cure: {change}: 80 of 80 right; tried on 2, cures 2; no such seed was tried of c."
    assert (lines.whose, lines.where) == ("a", "For config.yaml, in place of a. Change b alike.")
    assert lines.text == cures.without_defaults(snippet, DEFAULTS)


def test_lines_of_unequal_losses_are_not_taken_for_one():
    other = SAME | {"snippet": SAME["snippet"].replace("mean(f)", "mean(g)")}
    ((_, _, lines),) = remedies(metrics(a=stuck([trial("`f`", **SAME)]), b=stuck([trial("`f`", **other)])))
    assert lines.whose == "a"


def test_of_several_seeds_it_is_said_that_one_of_each_was_tried():
    cure = trial("`f`", **SAME)
    two = [stuck([cure]), outcome(2)]
    ((_, sentence, _),) = remedies(metrics(a=two, b=two))
    assert sentence == "Cure: `f`: 80 of 80 right; tried on 2, cures 2, with one seed of each."
    ((_, sentence, lines),) = remedies(metrics(a=two))
    assert sentence == "Cure of seed 1: `f`: 70 → 80 of 80 right."
    assert lines.where == "For config.yaml, in place of a, with the seed that was tried."


def test_cure_of_a_seed_with_another_fault_is_no_cure_of_this_one():
    """Seed 1 has stuck images, and a cure; seed 2 diverged, and nothing was tried with it."""
    cure = trial("`f`", **SAME)
    both = [stuck([cure]), diverged(2)]
    ((_, sentence, _),) = remedies(metrics(a=both))
    assert sentence == "Cure of seed 1 (faulty): `f`: 70 → 80 of 80 right."
    ((_, sentence, _),) = remedies(metrics(a=both, b=both))
    assert sentence is None
    ((_, sentence, lines),) = remedies(metrics(a=both, b=diverged(cures=[cure], n=80)))
    assert sentence == "Cure: `f`: 80 of 80 right; tried on 1, cures 1; no such seed was tried of a."
    assert lines.whose == "b"


def test_seed_that_was_tried_stands_for_its_variant_and_the_earliest_epoch_is_told():
    cure = trial("`f`", **SAME)
    (cause,) = answer.causes(
        metrics(a=[diverged(1, epoch=7, cures=[cure]), diverged(2, epoch=3), diverged(3, 1, expression="other")]),
        {"a": settings("manual")},
        KINDS,
        {},
        4,
        DEFAULTS,
    )
    assert cause.what == "`log(1 - yhat)` is −∞; first at epoch 3"
    assert (cause.models, cause.of) == (2, 3)


def test_nothing_that_was_tried_cures_them_only_where_it_was_tried_on_all():
    vain = [trial("`f`", verdict="faulty")]
    ((_, sentence, lines),) = remedies(metrics(a=stuck([], vain), b=stuck([], vain)))
    assert (sentence, lines) == ("Nothing that was tried cures them.", None)
    ((_, sentence, _),) = remedies(metrics(a=stuck([], vain), b=stuck()))
    assert sentence == "Nothing that was tried cures a."
    assert remedies(metrics(a=stuck(), b=stuck())) == [("manual, 2 variants", None, None)]


def test_without_trials_the_better_form_of_the_loss_is_offered_as_not_tried():
    losses = {"manual": loss_file("mean(f)")}
    for found in (metrics(a=stuck()), metrics(a=stuck(), b=stuck())):
        ((_, sentence, lines),) = remedies(found, None, losses, trials=0)
        assert sentence == "Better typed as `mean(f)`, the same function; not tried: diagnosis.trials is 0."
        assert lines.text == "losses:\n  manual: mean(f)\n"
        assert lines.where == "In config.yaml, in place of `manual` under `losses:`."
        for loss in (None, loss_file(None)):
            assert remedies(found, None, {"manual": loss} if loss else {}, trials=0)[0][1] is None
        assert remedies(found, None, losses)[0][1] is None  # its trial broke
    to_blame = stuck(findings=[finding("wrong-way-on-test", "Exchanged.")])
    assert remedies(metrics(a=to_blame), None, losses, trials=0)[0][1] is None
    tried = stuck([], [trial("`f`", verdict="faulty", correct=70, finding="slow")])
    assert remedies(metrics(a=tried), None, losses, trials=0)[0][1].startswith("Nothing that was tried cures it")
    assert cures.on_card(metrics(a=tried)[0], losses["manual"], "manual", 0, KINDS, DEFAULTS).untried is None


def test_offered_form_has_its_constants_and_says_what_bceloss_has_beside_it():
    losses = {"manual": loss_file("mean(f + c)", "module", "BCELoss", [], "yhat", c=0.5)}
    ((_, sentence, lines),) = remedies(metrics(a=stuck()), None, losses, trials=0)
    assert sentence == (
        "Better typed as `mean(f + c)`, c = 0.5, the same function without a cut of the logarithms at −100; not tried: "
        "diagnosis.trials is 0."
    )
    assert yaml.safe_load(lines.text) == {"losses": {"manual": {"formula": "mean(f + c)", "c": 0.5}}}
    (entry,) = metrics(a=stuck())
    card = cures.on_card(entry, losses["manual"], "manual", 0, KINDS, DEFAULTS)
    assert (card.sentence, card.untried.line) == (sentence, lines.text)


def test_card_says_what_helps_in_general_where_nothing_cures():
    def general(*seeds: Outcome, trials=4) -> str:
        (entry,) = metrics(a=list(seeds))
        return cures.on_card(entry, None, "manual", trials, KINDS, DEFAULTS).general

    told = "stuck-images means: images are wrong, and stay so. What helps in general: another loss."
    assert (
        general(stuck([], [trial("`f`", verdict="faulty")])) == general(stuck()) == general(stuck(), trials=0) == told
    )
    assert general(stuck([trial("`f`", **SAME)])) == ""
    assert general(outcome(1), stuck(seed=2)) == told
    fact = finding("slow", "A fact.", alarm=False)
    assert general(stuck(verdict="fails", findings=[fact])) == ""
    (good,) = metrics(a=outcome())
    assert cures.on_card(good, None, "manual", 4, KINDS, DEFAULTS) is None
