"""training.json: what one model was trained with, and what became of it; facts alone, no judgement."""

import json
from typing import Annotated

import msgspec
from msgspec import Meta

from records.strict import Number

# What a training writes into the folder of its model, by what it is.
MODEL_FILES = {
    "model": "model.pt",
    "broken": "broken.pt",
    "history": "history.csv",
    "predictions": "predictions.npz",
    "training": "training.json",
    "tensors": "training.npz",
    "sums": "SHA256SUMS",
}


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Images per class: of y = 0, of y = 1."""

    train: tuple[int, int]
    test: tuple[int, int]


Named = Annotated[list, Meta(description="its name in torch, and its arguments: [[argument, value], …]")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is trained with, beside its seed, every default filled in."""

    loss: str
    loss_definition: Annotated[
        list,
        Meta(
            description="[formula, text, [[constant, value], …]], or [module, name, [[argument, value], …], its input]"
        ),
    ]
    normalization: str
    normalization_definition: Annotated[list, Meta(description="[formula, [[constant, value], …]]")]
    hidden: Annotated[list[int], Meta(description="width of each hidden layer")]
    activation: Named
    optimizer: Named
    lr: Annotated[float, Meta(description="learning rate")]
    epochs: Annotated[int, Meta(description="steps asked for")]
    device: Annotated[str, Meta(description="asked for: cpu, cuda, mps or auto")]


KEYS = Settings.__struct_fields__


def as_named(settings: dict) -> dict:
    """Those that config.yaml has, too: losses and normalizations by their names, without what these stand for."""
    return {key: value for key, value in settings.items() if not key.endswith("_definition")}


def training_key(settings: dict) -> str:
    """The same text for settings whose models are the same, to the last bit: losses and normalizations by what they
    stand for, not by their names."""
    told = {key: value for key, value in settings.items() if f"{key}_definition" not in settings}
    return json.dumps(told, sort_keys=True)


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """A variant trained with one seed."""

    variant: str
    seed: int
    settings: Settings
    classes: Annotated[list[int | str], Meta(description="what y = 0 and y = 1 stand for")]
    code: Annotated[str, Meta(description="what changes with the code that trained it; not with its comments")]
    device: Annotated[str, Meta(description="that it was trained on: cpu, mps, or cuda and the accelerator's name")]
    counts: Counts
    seconds: Annotated[float, Meta(description="that the loop took")]
    diverged_epoch: Annotated[
        int | None,
        Meta(description="the first epoch whose loss is not finite; `epochs` if only the last step broke the weights"),
    ]
    largest_weight: Annotated[
        Number | None, Meta(description="the largest absolute weight there; null where every loss was finite")
    ]
    cycle: Annotated[
        tuple[int, int] | None,
        Meta(description="[epoch, period]: from then on each epoch is that of `period` epochs before, to the last bit"),
    ]
    zero_since: Annotated[
        int | None, Meta(description="the first of the last epochs in which every gradient was exactly 0")
    ]
    correct: Annotated[int | None, Meta(description="right training images; null where a ŷ is NaN")]
    test_correct: Annotated[int | None, Meta(description="right test images; null where a ŷ is NaN")]
    test_epoch: Annotated[
        int | None,
        Meta(description="of the epochs at which the test images are looked at, the first with fewest of them wrong"),
    ]
