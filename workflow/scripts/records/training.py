"""What a training leaves behind as JSON: training.json."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Images per class: of y = 0, of y = 1."""

    train: tuple[int, int]
    test: tuple[int, int]


Named = Annotated[list, Meta(description="its name in torch, and its arguments: [[argument, value], …]")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a variant was trained with, every default filled in. Its seeds have places of their own."""

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
