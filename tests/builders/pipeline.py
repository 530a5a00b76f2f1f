"""All jobs of a config in this process, on images that are there: for thousands of configs, whatever is in them."""

import io
import shutil
from contextlib import redirect_stderr
from pathlib import Path

import chart
import compare
import diagnose
import normalize
import numpy as np
import plot
import report
import torch
from train import train

from builders.workflows import SECTIONS, handed
from common.errors import UserError
from common.files import SUMS, sealed, write, write_json
from experiment.config import Experiment, check
from records.training import MODEL_FILES
from training.data import read_data
from training.rehearsal import rehearse
from training.trained import save

COMPARISON = ["same_weights.csv", "survival.csv", "changes.json", "significance.json", "wrong.json", "SHA256SUMS"]
INPUTS = ["digits.pt", "digits.npz", "vega.js", "source.json"]


CODE = "0123456789"
ONE_LINE = 700  # characters: as long as a complaint may be


def checked(config: dict) -> Experiment | None:
    """The experiment of a config; None where it is refused, in one line."""
    try:
        return check(config)
    except UserError as error:
        assert len(str(error)) < ONE_LINE
        assert "\n" not in str(error)
        return None


class Pipeline:
    """Runs into a folder, whose content is that of the last run."""

    def __init__(self, folder: Path):
        self.folder = folder
        write_digits(folder)
        write(folder / "vega.js", sealed("// none"))
        write_source(folder / "source.json")

    def run(self, experiment: Experiment) -> None:
        """Every job but the download. Raises whatever a job would end with."""
        shutil.rmtree(self.folder / "results", ignore_errors=True)
        with redirect_stderr(io.StringIO()):
            run(experiment, self.folder / "results", *(self.folder / name for name in INPUTS))

    def diagnose(self, experiment: Experiment) -> Path:
        """The jobs up to the diagnoses, and the folder of the variants."""
        shutil.rmtree(self.folder / "results", ignore_errors=True)
        with redirect_stderr(io.StringIO()):
            diagnose_variants(experiment, self.folder / "results", self.folder / "digits.pt")
        return self.folder / "results/variants"


def write_digits(folder: Path, n: int = 40, m: int = 10) -> None:
    """digits.pt and digits.npz of n and m images: a bright bar on noise, upright or not."""
    generator = np.random.default_rng(5)
    digits: dict = {}
    for part, count in (("train", n), ("test", m)):
        images = generator.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        images[: count // 2, 12:16, 4:24] += 120
        images[count // 2 :, 4:24, 12:16] += 120
        images[:, :2] = 0  # as MNIST has: pixels that are always black
        digits[f"{part}_images"] = images
        digits[f"{part}_labels"] = (np.arange(count) >= count // 2).astype(np.int64)
    np.savez(folder / "digits.npz", **digits)
    tensors = {name: torch.from_numpy(array) for name, array in digits.items()}
    torch.save(tensors | {"classes": [0, 1]}, folder / "digits.pt")


def diagnose_variants(experiment: Experiment, folder: Path, digits: Path) -> None:
    """Normalizations, charts, trainings, diagnoses."""
    for name, (formula, constants) in experiment.normalizations.items():
        normalize.main(digits, formula, dict(constants), folder / f"normalized/{name}.pt")
    for name, definition in experiment.losses.items():
        loss = folder / f"losses/{name}.json"
        chart.main(definition, {"chart": loss, "sums": loss.with_name(f"{loss.name}.sha256")})
    for name, of in experiment.variants.items():
        normalized = folder / f"normalized/{of['normalization']}.pt"
        data = read_data(normalized)
        settings = {"variant": name, **of, "classes": [0, 1], "code": CODE}
        rehearse(settings, data)
        models = [folder / "variants" / name / str(seed) for seed in of["seeds"]]
        for model, seed in zip(models, of["seeds"], strict=True):
            save(train(settings, seed, data), {key: model / file for key, file in MODEL_FILES.items()})
        output = {"metrics": folder / f"variants/{name}/metrics.json", "sums": folder / f"variants/{name}/{SUMS}"}
        loss, trials = folder / f"losses/{of['loss']}.json", experiment.diagnosis["trials"]
        diagnose.main(models, normalized, digits, loss, trials, output)


def run(experiment: Experiment, folder: Path, digits: Path, arrays: Path, vega: Path, source: Path) -> None:
    """Every job but the download, into `folder`."""
    variants, comparison = folder / "variants", folder / "comparison"
    diagnose_variants(experiment, folder, digits)
    models = [variants / name / str(seed) for name, of in experiment.variants.items() for seed in of["seeds"]]
    for name, of in experiment.variants.items():
        own = [variants / name / str(seed) for seed in of["seeds"]]
        files = ([model / MODEL_FILES[key] for model in own] for key in ("training", "predictions"))
        plot.main(*files, [0, 1], name, variants / name / "yhat.png")
    told = handed(experiment, *SECTIONS, trains=CODE, begun=None)
    output = {Path(name).stem: comparison / name for name in COMPARISON}
    output["sums"] = output.pop(SUMS)
    compare.known_data.cache_clear()  # it is of other images, perhaps, in this process
    compare.main(told, variants, folder / "normalized", output)
    inputs = output | {"vega": vega, "source": source, "digits": arrays}
    inputs["losses"] = [folder / f"losses/{name}.json" for name in experiment.losses]
    for key, file in {"metrics": "metrics.json", "plots": "yhat.png"}.items():
        inputs[key] = [variants / name / file for name in experiment.variants]
    for key, kind in {"histories": "history", "predictions": "predictions"}.items():
        inputs[key] = [model / MODEL_FILES[kind] for model in models]
    report.main(inputs, told, {key: folder / key for key in ("summary", "config", "page")})


def write_source(path: Path) -> None:
    """source.json, as the download leaves it."""
    counts = {"train": {"0": 20, "1": 20}, "test": {"0": 5, "1": 5}}
    record = {"source": "sample", "fallback": False, "retry": None, "failed_mirrors": {}, "files": {}, "counts": counts}
    write_json(path, record)
