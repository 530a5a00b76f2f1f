"""A trained model: what train.py writes of it, and reads back."""

from common.startup import torch

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.archives import read_arrays
from common.files import damaged, write, write_json, write_sums
from common.tensors import read_tensors
from records.strict import as_json, read_record
from records.training import MODEL_FILES, Settings, Training
from training.history import Row, history_csv, read_history
from training.network import build_network

INPUTS = 28 * 28  # pixels


@dataclass(frozen=True)
class Trained:
    """All tensors are on the CPU.

    record: training.json. history: a row per epoch. weights: after the last step, by name. logits, yhat: (n, 1), and
    test_yhat (m, 1): as the device computed them with these weights. test_answers: which test images were called y = 1
    at record.test_epoch, bool (m, 1), None without such an epoch.

    Where it diverged, else None: last_finite: the last finite weights, by name; last_finite_yhat: (n, 1), of these;
    broke: logits and yhat, (n, 1) each, of the first loss that is not finite.

    optimizer: as the last step left it; None of a model that was read.
    """

    record: Training
    history: list[Row]
    weights: dict[str, torch.Tensor]
    logits: torch.Tensor
    yhat: torch.Tensor
    test_yhat: torch.Tensor
    test_answers: torch.Tensor | None
    last_finite: dict[str, torch.Tensor] | None
    last_finite_yhat: torch.Tensor | None
    broke: tuple[torch.Tensor, torch.Tensor] | None
    optimizer: object | None = None

    @property
    def diverged_epoch(self) -> int | None:
        return self.record.diverged_epoch

    @property
    def cycle(self) -> tuple[int, int] | None:
        return self.record.cycle

    @property
    def zero_since(self) -> int | None:
        return self.record.zero_since


def save(trained: Trained, output: dict) -> None:
    """output: {key of MODEL_FILES: path}."""
    model, broken, predictions, tensors = (io.BytesIO() for _ in range(4))
    torch.save(trained.weights, model)
    torch.save(trained.last_finite or {}, broken)
    yhat = {"train": trained.yhat, "test": trained.test_yhat, "last_finite": trained.last_finite_yhat}
    kept = {"logits": trained.logits, "test_answers": trained.test_answers}
    if trained.broke:
        kept |= dict(zip(("broke_logits", "broke_yhat"), trained.broke, strict=True))
    np.savez(predictions, **_flat(yhat))
    np.savez(tensors, **_flat(kept))
    write(output["model"], model.getvalue())
    write(output["broken"], broken.getvalue())
    write(output["predictions"], predictions.getvalue())
    write(output["tensors"], tensors.getvalue())
    write(output["history"], history_csv(trained.history))
    write_json(output["training"], as_json(trained.record))
    write_sums(output["sums"], [output["history"], output["training"]])


def _flat(tensors: dict[str, torch.Tensor | None]) -> dict[str, np.ndarray]:
    return {name: tensor.flatten().numpy() for name, tensor in tensors.items() if tensor is not None}


def load(folder: Path) -> Trained:
    """What `save` wrote there. Raises UserError where a file is damaged, or is another model's."""
    record = read_record(folder / MODEL_FILES["training"], Training)
    weights, last_finite = (read_tensors(folder / MODEL_FILES[key]) for key in ("model", "broken"))
    n, m = sum(record.counts.train), sum(record.counts.test)
    yhat = _columns(folder / MODEL_FILES["predictions"], {"train": n, "test": m, "last_finite": n})
    kept = _columns(
        folder / MODEL_FILES["tensors"], {"logits": n, "test_answers": m, "broke_logits": n, "broke_yhat": n}
    )
    names = {"train", "test", "logits"}
    names |= {"test_answers"} if record.test_epoch is not None else set()
    names |= {"last_finite", "broke_logits", "broke_yhat"} if record.diverged_epoch is not None else set()
    shapes = _shapes(record.settings)
    is_whole = set(yhat) | set(kept) == names and _shapes_of(weights) == shapes
    if not is_whole or _shapes_of(last_finite) != (shapes if record.diverged_epoch is not None else {}):
        raise damaged(folder / MODEL_FILES["training"], "not of the same training as the files beside it")
    return Trained(
        record=record,
        history=read_history(folder / MODEL_FILES["history"], record.settings.epochs),
        weights=weights,
        logits=kept["logits"],
        yhat=yhat["train"],
        test_yhat=yhat["test"],
        test_answers=kept.get("test_answers"),
        last_finite=last_finite or None,
        last_finite_yhat=yhat.get("last_finite"),
        broke=(kept["broke_logits"], kept["broke_yhat"]) if "broke_logits" in kept else None,
    )


def _shapes(settings: Settings) -> dict[str, torch.Size | None]:
    """Of each parameter of the network, by name. No number of it is drawn."""
    with torch.device("meta"):
        return _shapes_of(build_network(INPUTS, settings.hidden, settings.activation, 0).state_dict())


def _shapes_of(weights: dict) -> dict[str, torch.Size | None]:
    """None of what is no tensor."""
    return {name: getattr(tensor, "shape", None) for name, tensor in weights.items()}


def _columns(path: Path, lengths: dict[str, int]) -> dict[str, torch.Tensor]:
    """The arrays of a .npz, (n,), as (n, 1). Raises UserError where one has another length."""
    arrays = read_arrays(path)
    for name, length in lengths.items():
        if name in arrays and arrays[name].shape != (length,):
            raise damaged(path, f"found {name} of shape {arrays[name].shape}, expected {length:,} values")
    return {name: torch.from_numpy(array).unsqueeze(1) for name, array in arrays.items()}
