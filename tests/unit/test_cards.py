"""What a card says while it is closed, and the strips of the losses."""

import pandas as pd
import pytest
from msgspec.structs import replace

from builders.records import diverged, metrics, outcome
from reporting import cards, losses


@pytest.mark.parametrize(
    ("seeds", "cause"),
    [
        ([outcome()], ""),
        ([outcome(kind="stuck-images")], "stuck images"),
        ([diverged(epoch=116)], "NaN at epoch 116: `log(1 - yhat)`"),
        ([diverged(1, epoch=9), outcome(2), diverged(3, epoch=4)], "first NaN at epoch 4: `log(1 - yhat)`"),
        ([outcome(1), outcome(2, kind="slow")], "slow"),
    ],
)
def test_closed_card_names_where_it_broke_or_its_first_alarm(seeds, cause):
    (entry,) = metrics(a=seeds)
    assert cards._cause(entry, "NaN") == cause


def test_closed_card_of_what_broke_beside_the_loss_says_so_in_words():
    one = diverged(epoch=3)
    (entry,) = metrics(a=replace(one, autopsy=replace(one.autopsy, cause="step", culprits=[])))
    assert cards._cause(entry, "∞") == "∞ at epoch 3: a step was too large for float32"


@pytest.mark.parametrize(
    ("seeds", "wrong"),
    [
        ([outcome(test_correct=18, correct=99)], ["2 wrong test images", "1 wrong training image"]),
        ([diverged()], []),
        ([diverged(1), outcome(2, 19)], ["1 wrong test image (seed 2)", "1 wrong training image (seed 2)"]),
        (
            [outcome(1, 19), outcome(2, 18), diverged(3)],
            ["wrong test images: mean 1.5 over 2 seeds", "wrong training images: mean 1 over 2 seeds"],
        ),
    ],
)
def test_closed_card_counts_wrong_images_of_the_models_that_answer(seeds, wrong):
    (entry,) = metrics(a=seeds)
    assert cards._wrong(entry) == wrong


def test_card_links_to_files_and_to_no_folder():
    one, several = metrics(a=outcome(), b=[outcome(1), outcome(2)])
    own = ["1/history.csv", "1/predictions.npz", "1/model.pt"]
    assert cards._files(one) == ["yhat.png", "metrics.json", *own]
    assert cards._files(several) == ["yhat.png", "metrics.json", "1/model.pt", "2/model.pt"]


def history(seed: int, low: float, high: float) -> pd.DataFrame:
    return pd.DataFrame({"seed": [seed], "epoch": [0], "loss": [0.1], "min_logit": [low], "max_logit": [high]})


def reaches(entries: list) -> list[losses.Reach]:
    return losses._merged([losses._reach(entry, history(1, -20.0, 12.0)) for entry in entries])


def test_reach_of_what_diverged_ends_where_it_broke():
    ended, broke = reaches(metrics(a=outcome(), b=diverged()))
    assert (ended.words, ended.diverged, ended.broke) == ("−20 to 12", False, None)
    assert (broke.words, broke.diverged, broke.broke) == ("−20 to 17", True, losses.place(17.0))


def test_many_reaches_are_merged_and_those_of_what_diverged_apart():
    few = metrics(**{f"v{n}": outcome() for n in range(losses.NAMED_REACHES)})
    assert [one.variant for one in reaches(few)] == [entry.variant for entry in few]
    merged = reaches([*few, *metrics(x=diverged(), y=diverged())])
    assert [(one.who, one.diverged, one.words) for one in merged] == [
        (f"{losses.NAMED_REACHES} variants", False, "−20 to 12"),
        ("2 variants", True, "−20 to 17"),
    ]


@pytest.mark.parametrize(
    ("logit", "text"), [(-88.7228, "−88.7"), (0.0, "0"), (16.6355, "16.6"), (12345.6, "12,346"), (-4.8e5, "−4.8e5")]
)
def test_logit_on_the_axis_has_three_digits(logit, text):
    assert losses._short(logit) == text
