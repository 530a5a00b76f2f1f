"""Turn raw pixels into the network's input: one formula, with the statistics of the training set."""

from common.startup import torch

import io
from pathlib import Path

from common.errors import logged
from common.files import write
from diagnosis.culprits import broken_normalization
from diagnosis.records import as_json
from formulas.language import Node, evaluate, statistics
from formulas.parsing import parse_normalization


def measure(images: torch.Tensor) -> dict[str, torch.Tensor]:
    """The variables of a normalization formula other than x, float32, from uint8 training images (n, 28, 28).

    Sums are taken in float64, so that the order of the images can not change the last digit. std and pixel_std are
    those of the whole population (divided by n, as NumPy's).
    """
    pixels = images.flatten(1).double()
    values = {
        "mean": pixels.mean(),
        "std": pixels.std(correction=0),
        "min": pixels.min(),
        "max": pixels.max(),
        "pixel_mean": pixels.mean(0),
        "pixel_std": pixels.std(0, correction=0),
    }
    return {name: value.float() for name, value in values.items()}


def normalize(tree: Node, train: torch.Tensor, test: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """float32 (n, 784) and (m, 784) from uint8 images (n, 28, 28) and (m, 28, 28); all statistics are of `train`."""
    train_values = {"x": train.flatten(1).float(), **measure(train)}
    x_train = evaluate(tree, train_values)
    x_test = evaluate(tree, train_values | {"x": test.flatten(1).float()}, known=statistics(tree, train_values))
    return x_train, x_test


def main(digits: Path, formula: str, constants: dict, output: Path) -> None:
    parts = torch.load(digits, weights_only=True)
    tree = parse_normalization(formula, constants)
    x_train, x_test = normalize(tree, parts["train_images"], parts["test_images"])
    y = {part: parts[f"{part}_labels"].float().unsqueeze(1) for part in ("train", "test")}
    normalized = {"x_train": x_train, "y_train": y["train"], "x_test": x_test, "y_test": y["test"]}
    if not x_train.isfinite().all():
        # Only here are the raw pixels at hand that say why; the autopsy of what is trained on these quotes it.
        trace: dict = {}
        evaluate(tree, {"x": parts["train_images"].flatten(1).float(), **measure(parts["train_images"])}, trace=trace)
        normalized["broken"] = as_json(broken_normalization(tree, trace, y["train"]))
    content = io.BytesIO()
    torch.save(normalized, content)
    write(output, content.getvalue())


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            Path(snakemake.input.digits),
            snakemake.params.formula,
            dict(snakemake.params.constants),
            Path(snakemake.output.normalized),
        )
