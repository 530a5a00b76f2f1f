"""What to type instead of a variant that diverged: found by trying, at the very weights that broke."""

import itertools
import math

import torch
import yaml

from diagnosis.chart import ignores_class, no_gradient, wrong_way
from diagnosis.records import Autopsy, Check, Suggestion
from diagnosis.signs import corners, sign_chart
from formulas.float32 import LARGEST
from formulas.language import COMPARISONS, Node, walk
from training.loop import descend
from training.loss import FormulaLoss, Loss, build_loss
from training.network import build_network, forward
from training.optimizer import build_optimizer

EPSILON = 1e-7  # the smallest power of ten that float32 can still add to 1 - yhat next to 1
LOGARITHMS = {"log", "log1p", "sqrt"}
EDGES = {"/", "**"}
OVERFLOWS = {"exp", "expm1"}
COMPARED = {symbol for symbol, _ in COMPARISONS.values()}
RATES = (0.1, 0.01, 0.001)  # of the learning rate, tried where the weights exploded


NO_LOSS_HELPS = {
    "normalization": "no loss survives pixels that are not finite, or that large: mend the normalization",
    "optimizer": "the optimizer's own arithmetic broke: give it an eps above 0, or take another optimizer",
    "decay": "weight decay broke it: take one far below 1 / lr",
    "momentum": "momentum broke it: take one below 1",
}


def suggest(
    variant: str, settings: dict, experiment: dict, networks: dict, autopsies: dict[int, Autopsy], data: dict
) -> Suggestion:
    """A config.yaml snippet that survives where `variant` broke, and how that was checked.

    networks: {seed: network at the last finite weights}; autopsies: by seed; both of the diverged seeds.
    """
    cause = next(iter(autopsies.values())).cause
    why = NO_LOSS_HELPS.get(cause) or _no_guard_helps(settings)
    if why:
        return Suggestion(variant=variant, snippet=None, why=why, checked=[])
    if cause in ("step", "network"):
        return _slower(variant, settings, experiment["defaults"], autopsies, data)
    losses = experiment["losses"]
    for name, definition in _candidates(settings, losses):
        loss = build_loss(definition)
        if not all(corner.safe for corner in corners(loss) if abs(corner.logit) < LARGEST):
            continue
        checked = [check(seed, loss, network, data["x_packed"], data["y_train"]) for seed, network in networks.items()]
        if _survived(checked):
            snippet = {} if name in losses else {"losses": {name: _as_config(definition)}}
            snippet["variants"] = {f"{variant}-{name}"[:100]: _entry(settings, experiment["defaults"]) | {"loss": name}}
            why = "a loss of this config.yaml" if name in losses else "the same formula, kept off its edges"
            return Suggestion(variant=variant, snippet=_as_yaml(snippet), why=why, checked=checked)
    return _slower(variant, settings, experiment["defaults"], autopsies, data)


def _no_guard_helps(settings: dict) -> str | None:
    """Why a loss is not worth keeping off its edges; None where it may be."""
    chart = sign_chart(build_loss(settings["loss_definition"]))
    if any(facts["whole"] for facts in (wrong_way(chart) or {}).values()):
        return "kept off its edges, this loss would still push images away from their class"
    if ignores_class(chart) or no_gradient(chart) is not None:
        return "kept off its edges, this loss would still have no gradient for a class"
    return None


def check(seed: int, loss: Loss, network: torch.nn.Sequential, x, y: torch.Tensor) -> Check:
    """A loss and its gradient at the network's weights."""
    logits, yhat = forward(network, x)
    value = loss(y, yhat, logits)
    gradients = torch.autograd.grad(value, list(network.parameters()), allow_unused=True) if value.requires_grad else ()
    squares = sum(float(gradient.double().square().sum()) for gradient in gradients if gradient is not None)
    return Check(seed=seed, value=value.item(), gradient_norm=math.sqrt(squares))


def _survived(checked: list[Check]) -> bool:
    """Finite, and not stuck: a gradient of exactly 0 would change nothing ever again."""
    return all(math.isfinite(one.value) and 0 < one.gradient_norm < math.inf for one in checked)


def _candidates(settings: dict, losses: dict):
    """(name, definition): the formula itself with its edges guarded, as little as will do; then the other losses."""
    loss = build_loss(settings["loss_definition"])
    if isinstance(loss, FormulaLoss):
        constants = dict(settings["loss_definition"][2])
        name = _free(f"{settings['loss']}-safe", losses)
        epsilon = _free("eps", constants)
        for operations in (LOGARITHMS, LOGARITHMS | EDGES | OVERFLOWS):
            for guard in (_add, _bound):
                text = _guarded(loss.text, loss.tree, operations, guard, epsilon)
                used = constants | {epsilon: EPSILON}
                yield name, ["formula", text, sorted([key, value] for key, value in used.items())]
    yield from ((name, definition) for name, definition in losses.items() if name != settings["loss"])


def _free(name: str, taken) -> str:
    return name if name not in taken else next(free for i in itertools.count(2) if (free := f"{name}{i}") not in taken)


def _guarded(text: str, tree: Node, operations: set[str], guard, epsilon: str) -> str:
    """The formula with something typed around the argument, or the divisor, of each of these operations."""
    typed = []
    for node in walk(tree):
        argument = node.arguments[1 if node.operation == "/" else 0] if node.operation in operations else None
        if argument is not None and argument.operation != "number":
            before, after = guard(node.operation, argument, epsilon)
            typed += [(argument.start, 1, before), (argument.start + len(argument.text), 0, after)]
    # From the end, so that the places before stay where they are; at one place, what closes stands first.
    for place, _, insertion in sorted(typed, key=lambda one: one[:2], reverse=True):
        text = text[:place] + insertion + text[place:]
    return text


def _add(operation: str, argument: Node, epsilon: str) -> tuple[str, str]:
    if operation in OVERFLOWS:
        return "minimum(", ", 80)"
    # What + does not reach into needs no parentheses: the whole argument of a function, a sum that has its own.
    is_whole = argument.operation not in COMPARED and (operation in LOGARITHMS or argument.operation in ("+", "-"))
    return ("", f" + {epsilon}") if is_whole else ("(", f" + {epsilon})")


def _bound(operation: str, argument: Node, epsilon: str) -> tuple[str, str]:
    if operation in OVERFLOWS:
        return "minimum(", ", 80)"
    return "maximum(", f", {epsilon} - 1)" if operation == "log1p" else f", {epsilon})"


def _slower(variant: str, settings: dict, defaults: dict, autopsies: dict[int, Autopsy], data: dict) -> Suggestion:
    """The largest of a few smaller learning rates that lives twice as long, found by training that far."""
    epochs = min(settings["epochs"], 2 * max(one.epoch for one in autopsies.values()) + 2)
    loss = build_loss(settings["loss_definition"])
    x, y = data["x_packed"], data["y_train"]
    for share in RATES:
        lr = float(f"{settings['lr'] * share:.3g}")
        checked = []
        for seed in autopsies:
            network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
            optimizer = build_optimizer(settings["optimizer"], lr, network.parameters())
            descend(network, optimizer, loss, x, y, epochs, see=lambda epoch, value, *_: bool(value.isfinite()))
            checked.append(check(seed, loss, network, x, y))
        if _survived(checked):
            snippet = {"variants": {f"{variant}-lr={lr}"[:100]: _entry(settings, defaults) | {"lr": lr}}}
            why = f"a smaller learning rate, tried for {epochs} epochs"
            return Suggestion(variant=variant, snippet=_as_yaml(snippet), why=why, checked=checked)
    why = f"no learning rate down to {lr} lived for {epochs} epochs"
    return Suggestion(variant=variant, snippet=None, why=why, checked=[])


def _entry(settings: dict, defaults: dict) -> dict:
    """A variant as config.yaml would have it: what differs from the defaults."""
    keys = ("loss", "normalization", *(key for key in defaults if settings[key] != defaults[key]))
    entry = {key: settings[key] for key in keys}
    for key in {"activation", "optimizer"} & set(entry):
        name, arguments = entry[key]
        entry[key] = {"name": name, **dict(arguments)} if arguments else name
    return entry


def _as_config(definition: list) -> dict | str:
    _, text, constants = definition
    return {"formula": text, **dict(constants)} if constants else text


def _as_yaml(snippet: dict) -> str:
    return yaml.safe_dump(snippet, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000)
