"""What only shows when all variants lie side by side: what each loss does, and has a better form of itself; what one
change did.

Facts are computed in float32 at the very weights that broke, one thread.
"""

from common.startup import torch

import csv
import functools
import io
import math
from pathlib import Path

import numpy as np

from common.archives import read_arrays
from common.english import counted
from common.errors import logged
from common.files import write, write_json, write_sums
from common.params import read_params
from common.tensors import read_tensors
from comparing.pairs import SHOWN, changes, first_finished, hardest, surest, survival, wrong_images
from findings.findings import ORDER
from findings.kinds import explanations
from losses.facts import limits
from losses.rewrites import better_form
from losses.sign_chart import sign_chart
from records.metrics import Metrics
from records.strict import as_json, read
from training.fast import pack
from training.loss import Loss, build_loss
from training.network import build_network, forward


@functools.lru_cache(maxsize=1)  # the variants of a sweep follow each other: more than half of the job
def packed(normalized: Path) -> dict:
    """The tensors of a normalization, with the x_packed that training saw."""
    data = read_tensors(normalized)
    return data | {"x_packed": pack(data["x_train"])}


def at_broken_weights(losses: dict[str, Loss], variants: dict, folder: Path, normalized: Path) -> list[dict]:
    """Every loss at the last finite weights of each diverged seed."""
    rows = []
    for variant, settings in variants.items():
        broken = read_tensors(folder / variant / "broken.pt")
        if not broken:
            continue
        data = packed(normalized / f"{settings['normalization']}.pt")
        for seed, state_dict in broken.items():
            network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
            network.load_state_dict(state_dict)
            for name, loss in losses.items():
                value, norm = value_and_norm(loss, network, data["x_packed"], data["y_train"])
                rows.append({"variant": variant, "loss": name, "seed": seed, "value": value, "gradient_norm": norm})
    return rows


def value_and_norm(loss: Loss, network: torch.nn.Sequential, x, y: torch.Tensor) -> tuple[float, float]:
    """A loss at the network's weights, and the norm of its gradient."""
    logits, yhat = forward(network, x)
    value = loss(y, yhat, logits)
    gradients = torch.autograd.grad(value, list(network.parameters()), allow_unused=True) if value.requires_grad else ()
    squares = sum(float(gradient.double().square().sum()) for gradient in gradients if gradient is not None)
    return value.item(), math.sqrt(squares)


def table(rows: list[dict], columns: list[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def pictures(metrics: list[Metrics], wrong: dict, predictions: dict, digits: dict) -> bytes:
    """pictures.npz: the images that the page shows, and their places."""
    shown: dict[str, set] = {"train": set(), "test": set(hardest(metrics, wrong)[0])}
    for entry in metrics:
        if (place := first_finished(entry)) is not None:
            for part, images in wrong[entry.variant].items():
                of_seed = images.get(str(entry.seeds[place].seed), [])  # none where a ŷ is NaN
                shown[part].update(surest(of_seed, predictions[entry.variant][part][place]))
    autopsies = [one.autopsy for entry in metrics for one in entry.seeds if one.autopsy]
    shown["train"].update(one.image.index for one in autopsies if one.image)
    found = [finding for entry in metrics for one in entry.seeds for finding in one.findings]
    shown["train"].update(*(finding.images[:SHOWN] for finding in found if finding.images))
    arrays = {}
    for part, places in shown.items():
        index = sorted(places)
        arrays |= {f"{part}_index": np.array(index, dtype=np.int64), part: digits[f"{part}_images"][index].numpy()}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def main(experiment: dict, folder: Path, normalized: Path, digits_file: Path, output: dict) -> str:
    """Writes what was found; tells it in a line."""
    variants = experiment["variants"]
    losses = {name: build_loss(definition) for name, definition in experiment["losses"].items()}
    metrics = {name: read(folder / name / "metrics.json", Metrics) for name in variants}
    predictions = {name: read_arrays(folder / name / "predictions.npz") for name in variants}
    digits = read_tensors(digits_file)
    y = {part: digits[f"{part}_labels"].numpy().astype(bool) for part in ("train", "test")}

    charts = {name: sign_chart(loss) for name, loss in losses.items()}
    write_json(output["losses"], as_json(charts))
    rewrites = {name: better_form(loss) for name, loss in losses.items()}
    write_json(output["rewrites"], as_json({name: found for name, found in rewrites.items() if found}))
    same = at_broken_weights(losses, variants, folder, normalized)
    write(output["same_weights"], table(same, ["variant", "seed", "loss", "value", "gradient_norm"]))
    entries = list(metrics.values())
    write(output["survival"], table(survival(entries), ["variant", "epoch", "finite", "seeds"]))
    right, wrong = wrong_images(entries, predictions, y)
    of_test = {name: of_variant["test"] for name, of_variant in right.items()}
    compared = changes(variants, metrics, of_test)
    write_json(output["pairs"], as_json(compared))
    write_json(output["wrong"], wrong)
    write_json(output["kinds"], {name: explanations()[name] for name in ORDER})
    write(output["pictures"], pictures(entries, wrong, predictions, digits))
    write_sums(output["sums"], [file for name, file in output.items() if name != "sums"])
    unsafe = sum(any(limits(chart).values()) for chart in charts.values())
    losses_told = f"{unsafe} of {counted(len(charts), 'loss', 'losses')} not finite for images that are right"
    return f"{losses_told}; {counted(len(compared), 'change')} compared"


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        torch.set_num_threads(snakemake.threads)
        found = main(
            read_params(snakemake.params),
            Path(snakemake.input.metrics[0]).parents[1],
            Path(snakemake.input.normalized[0]).parent,
            Path(snakemake.input.digits),
            dict(snakemake.output.items()),
        )
        say(found)
