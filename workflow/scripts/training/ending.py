"""What a training leaves when its last step is taken, and its line in the log."""

import math
import time

import torch

from records.strict import number
from records.training import KEYS, Counts, Settings, Training
from training.device import name_of
from training.history import count_correct
from training.network import forward
from training.observer import Observer, answers
from training.trained import Trained


def ended(observed: Observer, settings: dict, seed: int, optimizer: object) -> Trained:
    """The model, after a last forward pass. settings: as `train` was given them."""
    network, x = observed.network, observed.x
    observed.fill_in()
    with torch.no_grad():
        logits, yhat = forward(network, x)
        seconds = time.perf_counter() - observed.start
        test_yhat = forward(network, observed.test[0])[1]
    names = list(network.state_dict())
    final = _on_cpu(dict(zip(names, observed.parameters, strict=True)))
    correct = count_correct(yhat, observed.y)
    diverged_epoch, broke = observed.diverged_epoch, observed.broke
    if diverged_epoch is None and correct is None:  # only the last step broke the weights
        diverged_epoch, broke = settings["epochs"], (logits, yhat)
    last_finite = last_finite_yhat = largest_weight = None
    if diverged_epoch is not None:
        # torch's max, of which a NaN is the largest; to Python's, it depends on their order.
        largest_weight = torch.stack([weight.abs().max() for weight in observed.weights]).max().item()
        weights = observed.weights if math.isfinite(largest_weight) else observed.before or observed.weights
        last_finite = _on_cpu(dict(zip(names, weights, strict=True)))
        network.load_state_dict(last_finite)
        last_finite_yhat = answers(network, x)[1].cpu()
        network.load_state_dict(final)
    record = Training(
        variant=settings["variant"],
        seed=seed,
        settings=Settings(**{key: settings[key] for key in KEYS}),
        classes=settings["classes"],
        code=settings["code"],
        device=name_of(observed.y.device),
        counts=Counts(train=_per_class(observed.y), test=_per_class(observed.test[1])),
        seconds=round(seconds, 3),
        diverged_epoch=diverged_epoch,
        largest_weight=None if largest_weight is None else number(largest_weight),
        cycle=observed.repeats.cycle,
        zero_since=observed.repeats.zero_since,
        correct=correct,
        test_correct=count_correct(test_yhat, observed.test[1]),
        test_epoch=observed.test_epoch,
    )
    return Trained(
        record=record,
        history=observed.history,
        weights=final,
        logits=logits.cpu(),
        yhat=yhat.cpu(),
        test_yhat=test_yhat.cpu(),
        test_answers=observed.test_answers,
        last_finite=last_finite,
        last_finite_yhat=last_finite_yhat,
        broke=broke and (broke[0].cpu(), broke[1].cpu()),
        optimizer=optimizer,
    )


def _on_cpu(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}


def _per_class(y: torch.Tensor) -> tuple[int, int]:
    return int((y == 0).sum()), int((y == 1).sum())


def came_to(trained: Trained) -> str:
    """'12,665 of 12,665 right, test 2,114 of 2,115'; 'NaN at epoch 249 of 500'."""
    record = trained.record
    epochs = record.settings.epochs
    if record.diverged_epoch == epochs:
        return f"NaN after the last of {epochs:,} steps"
    if record.diverged_epoch is not None:
        loss = trained.history[record.diverged_epoch].loss
        became = "NaN" if math.isnan(loss) else "∞" if loss > 0 else "−∞"
        return f"{became} at epoch {record.diverged_epoch:,} of {epochs:,}"
    test = "ŷ NaN" if record.test_correct is None else f"{record.test_correct:,} of {sum(record.counts.test):,}"
    return f"{record.correct:,} of {sum(record.counts.train):,} right, test {test}"
