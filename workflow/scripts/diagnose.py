"""What only shows when all variants lie side by side: which losses are unsafe, which one change did what, and what to
type instead where a run diverged.

Facts are computed in float32 at the very weights that broke, one thread.
"""

from common.startup import torch

import csv
import functools
import io
import itertools
import json
import math
from pathlib import Path

import numpy as np

from common.errors import logged
from common.files import read_json, write, write_json
from diagnosis.mcnemar import mcnemar
from diagnosis.probe import corners
from diagnosis.suggestion import suggest, value_and_gradient
from training.fast import pack
from training.loss import build_loss
from training.network import build_network

SHOWN = 50  # images that a list names; its count is always whole


@functools.lru_cache(maxsize=1)  # the variants of a sweep follow each other: more than half of the job
def packed(normalized: Path) -> dict:
    """The tensors of a normalization, with the x_packed that training saw."""
    data = torch.load(normalized, weights_only=True)
    return data | {"x_packed": pack(data["x_train"])}


def at_broken_weights(experiment: dict, folder: Path, normalized: Path) -> tuple[list[dict], list[dict]]:
    """Every loss at the last finite weights of each diverged seed, and a suggestion per diverged variant."""
    rows, suggestions = [], []
    losses = {name: build_loss(definition) for name, definition in experiment["losses"].items()}
    for variant, settings in experiment["variants"].items():
        broken = torch.load(folder / variant / "broken.pt", weights_only=True)
        if not broken:
            continue
        data = packed(normalized / f"{settings['normalization']}.pt")
        networks = {}
        for seed, state_dict in broken.items():
            network = build_network(data["x_train"].shape[1], settings["hidden"], settings["activation"], seed)
            network.load_state_dict(state_dict)
            networks[seed] = network
            for name, loss in losses.items():
                found = value_and_gradient(loss, network, data["x_packed"], data["y_train"])
                rows.append({"variant": variant, "seed": seed, "loss": name, **found})
        autopsies = {one["seed"]: one["autopsy"] for one in read_json(folder / variant / "metrics.json")["seeds"]}
        autopsies = {seed: autopsies[seed] for seed in networks}
        suggestions.append({"variant": variant, **suggest(variant, settings, experiment, networks, autopsies, data)})
    return rows, suggestions


def survival(metrics: list[dict]) -> list[dict]:
    """variant, epoch, finite, seeds: how many seeds had only finite losses up to and with that epoch."""
    rows = []
    for entry in metrics:
        ends = [math.inf if one["diverged_epoch"] is None else one["diverged_epoch"] for one in entry["seeds"]]
        for epoch in range(entry["seeds"][0]["epochs"]):
            finite = sum(end > epoch for end in ends)
            rows.append({"variant": entry["variant"], "epoch": epoch, "finite": finite, "seeds": len(ends)})
    return rows


def one_change_pairs(variants: dict) -> list[tuple[str, str, str]]:
    """(a, b, key) of every two variants whose settings differ in exactly one key.

    Variants that agree in all other keys are found by these, so that a hundred of them need no five thousand looks.
    """
    pairs = []
    keys = [key for key in next(iter(variants.values())) if not key.endswith("_definition")]
    for key in keys:
        alike: dict[str, list[str]] = {}
        for name, settings in variants.items():
            rest = json.dumps([settings[other] for other in keys if other != key])
            alike.setdefault(rest, []).append(name)
        for names in alike.values():
            # Equal in this key too: the same variant under two names, which is no change.
            pairs += [(a, b, key) for a, b in itertools.combinations(names, 2) if variants[a][key] != variants[b][key]]
    return sorted(pairs)


def compare(a: str, b: str, key: str, variants: dict, metrics: dict, right: dict) -> dict:
    """What one change did, seed by seed (the first with the first, …). right: {variant: {part: bool (seeds, n)}}."""
    seeds = []
    for place, (one, other) in enumerate(zip(metrics[a]["seeds"], metrics[b]["seeds"], strict=False)):
        entry = {"seeds": [one["seed"], other["seed"]], "status": [one["status"], other["status"]]}
        for part, count in (("train", "correct"), ("test", "test_correct")):
            entry[part] = {"correct": [one[count], other[count]], "n": one["n" if part == "train" else "test_n"]}
            if None in entry[part]["correct"]:
                continue
            of_a, of_b = (right[name][part][place] for name in (a, b))
            only_a, only_b = np.flatnonzero(of_a & ~of_b), np.flatnonzero(of_b & ~of_a)
            entry[part] |= {
                "only_a": {"count": len(only_a), "images": only_a[:SHOWN].tolist()},
                "only_b": {"count": len(only_b), "images": only_b[:SHOWN].tolist()},
                "p_value": mcnemar(len(only_a), len(only_b)),
            }
        seeds.append(entry)
    return {"a": a, "b": b, "key": key, "values": [variants[a][key], variants[b][key]], "seeds": seeds}


def wrong_images(metrics: list[dict], predictions: dict, y: dict) -> tuple[dict, dict]:
    """{variant: {part: bool (seeds, n)}} of what each model gets right, and {variant: {part: {seed: [image, …]}}}."""
    right: dict = {}
    wrong: dict = {}
    for entry in metrics:
        name = entry["variant"]
        right[name] = {part: (predictions[name][part] > 0.5) == y[part] for part in ("train", "test")}
        wrong[name] = {
            part: {
                str(one["seed"]): np.flatnonzero(~right[name][part][place]).tolist()
                for place, one in enumerate(entry["seeds"])
                if one["status"] == "finished" and one["correct" if part == "train" else "test_correct"] is not None
            }
            for part in ("train", "test")
        }
    return right, wrong


def table(rows: list[dict], columns: list[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main(experiment: dict, folder: Path, normalized: Path, digits_file: Path, output: dict) -> None:
    variants, losses = experiment["variants"], experiment["losses"]
    metrics = [read_json(folder / name / "metrics.json") for name in variants]
    predictions = {}
    for name in variants:
        with np.load(folder / name / "predictions.npz") as file:
            predictions[name] = dict(file)
    digits = torch.load(digits_file, weights_only=True)
    y = {part: digits[f"{part}_labels"].numpy().astype(bool) for part in ("train", "test")}
    right, wrong = wrong_images(metrics, predictions, y)

    rows = [
        {"loss": name, **row, "safe": str(row["safe"]).lower()}
        for name in losses
        for row in corners(build_loss(losses[name]))
    ]
    write(output["corners"], table(rows, ["loss", "y", "yhat", "logit", "value", "gradient", "safe"]))
    same, suggestions = at_broken_weights(experiment, folder, normalized)
    write(output["same_weights"], table(same, ["variant", "seed", "loss", "value", "gradient_norm"]))
    write_json(output["suggestions"], suggestions)
    write(output["survival"], table(survival(metrics), ["variant", "epoch", "finite", "seeds"]))
    by_name = {entry["variant"]: entry for entry in metrics}
    pairs = [compare(a, b, key, variants, by_name, right) for a, b, key in one_change_pairs(variants)]
    write_json(output["pairs"], pairs)
    write_json(output["wrong"], wrong)

    shown: dict[str, set] = {"train": set(), "test": set()}
    for parts in wrong.values():
        for part, seeds in parts.items():
            shown[part].update(*(images[:SHOWN] for images in seeds.values()))
    for entry in metrics:
        autopsies = [one["autopsy"] for one in entry["seeds"] if one["autopsy"]]
        shown["train"].update(one["image"]["index"] for one in autopsies if one["image"])
    pictures = {}
    for part, places in shown.items():
        index = sorted(places)
        pictures |= {f"{part}_index": np.array(index, dtype=np.int64), part: digits[f"{part}_images"][index].numpy()}
    content = io.BytesIO()
    np.savez_compressed(content, **pictures)
    write(output["pictures"], content.getvalue())


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            json.loads(snakemake.params.experiment),
            Path(snakemake.input.metrics[0]).parents[1],
            Path(snakemake.input.normalized[0]).parent,
            Path(snakemake.input.digits),
            dict(snakemake.output.items()),
        )
