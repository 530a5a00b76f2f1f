"""From uint8 images to the network's input: one formula, with the statistics of the training set."""

import torch

from formulas.language import Node, evaluate, statistics


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


def normalized(digits: dict[str, torch.Tensor], tree: Node) -> dict[str, torch.Tensor]:
    """x_train, y_train (n, 1), x_test, y_test (m, 1), float32, of digits.pt: {train,test}_{images,labels}."""
    x_train, x_test = normalize(tree, digits["train_images"], digits["test_images"])
    y = {part: digits[f"{part}_labels"].float().unsqueeze(1) for part in ("train", "test")}
    return {"x_train": x_train, "y_train": y["train"], "x_test": x_test, "y_test": y["test"]}
