"""Records of trainings that nobody did: outcomes of seeds, the metrics of variants, trials."""

from msgspec.structs import replace

from records.metrics import Autopsy, Forecast, Image, Metrics, Outcome, Range, Step, Trial, finding
from records.training import Counts, Settings

PLAIN = Settings(
    hidden=[64],
    activation=["ReLU", []],
    optimizer=["SGD", [["momentum", 0.9]]],
    lr=0.002,
    loss="bce",
    loss_definition=["module", "BCELoss", [], "yhat"],
    normalization="unit",
    normalization_definition=["x / 255", []],
    epochs=30,
    device="cpu",
)
COUNTS = Counts(train=(40, 60), test=(9, 11))
DEFAULTS = {"lr": 0.1}


def outcome(seed=1, test_correct=19, kind=None, verdict=None, **facts) -> Outcome:
    found = [finding(kind, f"What {kind} did.")] if kind else []
    shared = {"final_loss": 0.1, "max_logit": 1.0, "epochs": 9, "seconds": 1.0, "margin": 1.0, "progress": None}
    values = shared | {
        "seed": seed,
        "status": "finished",
        "diverged_epoch": None,
        "correct": 99,
        "n": 100,
        "accuracy": 0.99,
        "test_correct": test_correct,
        "test_n": 20,
        "test_accuracy": test_correct / 20,
        "forecast": Forecast(epoch=None),
        "autopsy": None,
        "verdict": verdict or ("faulty" if kind else "good"),
        "findings": found,
    }
    return Outcome(**values | facts)


def diverged(seed=1, epoch=5, expression="log(1 - yhat)", **facts) -> Outcome:
    holds = {"0": {"nan": 0, "+inf": 0, "-inf": 0}, "1": {"nan": 0, "+inf": 0, "-inf": 3}}
    step = Step(expression=expression, operation="log", start=0, holds=holds, inputs=[])
    autopsy = Autopsy(
        epoch=epoch,
        cause="loss",
        sentence=f"At epoch {epoch} it broke.",
        largest_weight=1.0,
        logits={"0": Range(min=0.0, max=1.0), "1": Range(min=0.0, max=17.0)},
        yhat_zeros={"0": 0, "1": 0},
        yhat_ones={"0": 0, "1": 3},
        culprits=[step],
        path=[step],
        image=Image(index=3, y=1, yhat=1.0, logit=17.0),
    )
    gone = {"status": "diverged", "diverged_epoch": epoch, "autopsy": autopsy, "verdict": "fails", "forecast": None}
    gone |= dict.fromkeys(("correct", "accuracy", "test_accuracy", "final_loss"))
    return replace(outcome(seed, kind="diverged"), **gone | {"test_correct": None} | facts)


def metrics(**outcomes) -> list[Metrics]:
    return [
        Metrics(
            variant=name,
            device="cpu",
            code="0123456789",
            classes=[0, 1],
            settings=PLAIN,
            counts=COUNTS,
            seeds=seeds if isinstance(seeds, list) else [seeds],
        )
        for name, seeds in outcomes.items()
    ]


def settings(loss="bce", normalization="unit", **others) -> dict:
    shared = {"hidden": [4], "optimizer": ["Adam", []], "lr": 0.1, "epochs": 9, "seeds": [1]}
    return {"loss": loss, "normalization": normalization} | shared | others


def trial(change: str, **settings) -> Trial:
    """A trial that cures, unless the settings say otherwise."""
    facts = {"same_function": False, "verdict": "good", "correct": 80, "test_correct": 20, "p_value": None}
    return Trial(
        change=change, **facts | {"ways": ["rewrite"], "finding": None, "count": None, "snippet": None} | settings
    )
