"""Why training pixels are not finite after normalization."""

import torch

from autopsy.culprits import culprits, step
from autopsy.words import explain, quote
from formulas.language import evaluate
from formulas.parsing import parse_normalization
from records.metrics import BrokenNormalization
from training.normalization import measure


def broken_normalization(digits: dict[str, torch.Tensor], definition: list) -> BrokenNormalization:
    """What of a formula made them NaN or infinite. digits: digits.pt; definition: [formula, [[constant, value], …]]."""
    text, constants = definition
    tree, images, trace = parse_normalization(text, dict(constants)), digits["train_images"], {}
    evaluate(tree, {"x": images.flatten(1).float(), **measure(images)}, trace=trace)
    paths = culprits(tree, trace)
    path, broken = paths[0]
    y = digits["train_labels"].float().unsqueeze(1)
    return BrokenNormalization(
        culprits=[step(other[0], trace, y) for other, _ in paths],
        path=[step(node, trace, y) for node in path],
        why=f"in {quote(path[0].text)}, {explain(path[0], trace, broken)}",
    )
