"""One step before a training, so that what torch refuses is told in one line."""

from common.errors import UserError
from training.device import chosen
from training.loss import build_loss
from training.network import build_network, forward
from training.optimizer import build_optimizer


def rehearse(settings: dict, data: dict) -> None:
    """Take one step on two images. Raises UserError where torch refuses what the schema let through."""
    ends = [0, -1]
    try:
        chosen(settings["device"])
        network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], 0)
        optimizer = build_optimizer(settings["optimizer"], settings["lr"], network.parameters())
        logits, yhat = forward(network, data["x_train"][ends])
        build_loss(settings["loss_definition"])(data["y_train"][ends], yhat, logits).backward()
        optimizer.step()
    except UserError as error:
        raise UserError(f"variant {settings['variant']}: {error}") from None
    except (ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"variant {settings['variant']}: torch refuses its settings: {error}") from None
