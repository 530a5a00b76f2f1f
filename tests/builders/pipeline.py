"""All jobs of a config in this process, on images that are there: for thousands of configs, whatever is in them."""

import io
import shutil
from contextlib import redirect_stderr
from pathlib import Path

import diagnose
import normalize
import numpy as np
import plot
import report
import torch
import train

from builders.workflows import SECTIONS, handed
from common.archives import read_arrays
from common.errors import UserError
from common.files import SUMS, sealed, write, write_json
from experiment.config import Experiment, check
from records.metrics import Metrics
from records.strict import read_record

DIAGNOSIS = ["losses.json", "same_weights.csv", "rewrites.json", "survival.csv", "pairs.json", "wrong.json"]
DIAGNOSIS += ["significance.json", "kinds.json", "pictures.npz"]
INPUTS = ["digits.pt", "vega.js", "source.json"]
OUTPUTS = {"model": "pt", "broken": "pt", "history": "csv", "predictions": "npz", "metrics": "json"}


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
        write_digits(folder / "digits.pt")
        write(folder / "vega.js", sealed("// none"))
        write_source(folder / "source.json")

    def run(self, experiment: Experiment) -> None:
        """Every job but the download. Raises whatever a job would end with."""
        shutil.rmtree(self.folder / "results", ignore_errors=True)
        with redirect_stderr(io.StringIO()):
            run(experiment, self.folder / "results", *(self.folder / name for name in INPUTS))

    def train(self, experiment: Experiment) -> Path:
        """The jobs up to the training, and the folder of the variants."""
        shutil.rmtree(self.folder / "results", ignore_errors=True)
        with redirect_stderr(io.StringIO()):
            train_variants(experiment, self.folder / "results", self.folder / "digits.pt")
        return self.folder / "results/variants"


def write_digits(path: Path, n: int = 40, m: int = 10) -> None:
    """digits.pt of n and m images: a bright bar on noise, upright or not."""
    generator = np.random.default_rng(5)
    digits: dict = {"classes": [0, 1]}
    for part, count in (("train", n), ("test", m)):
        images = generator.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        images[: count // 2, 12:16, 4:24] += 120
        images[count // 2 :, 4:24, 12:16] += 120
        images[:, :2] = 0  # as MNIST has: pixels that are always black
        digits[f"{part}_images"] = torch.from_numpy(images)
        digits[f"{part}_labels"] = (torch.arange(count) >= count // 2).long()
    torch.save(digits, path)


def train_variants(experiment: Experiment, folder: Path, digits: Path) -> None:
    variants = folder / "variants"
    for name, (formula, constants) in experiment.normalizations.items():
        normalize.main(digits, formula, dict(constants), folder / f"normalized/{name}.pt")
    for name, of in experiment.variants.items():
        settings = {"variant": name, **of, "classes": [0, 1], "trials": experiment.diagnosis["trials"], "code": CODE}
        output = {key: variants / name / f"{key}.{kind}" for key, kind in OUTPUTS.items()}
        output["sums"] = variants / name / SUMS
        train.main(folder / f"normalized/{of['normalization']}.pt", digits, settings, output)


def run(experiment: Experiment, folder: Path, digits: Path, vega: Path, source: Path) -> None:
    """Every job but the download, into `folder`."""
    variants, diagnosis = folder / "variants", folder / "diagnosis"
    train_variants(experiment, folder, digits)
    for name, of in experiment.variants.items():
        metrics = read_record(variants / name / "metrics.json", Metrics)
        predictions = read_arrays(variants / name / "predictions.npz")
        yhat, is_last_finite = plot.shown(predictions, [one.status for one in metrics.seeds])
        picture = plot.plot(yhat, is_last_finite, metrics.counts.train, of["seeds"], [0, 1], name)
        write(variants / name / "yhat.png", picture)
    told = handed(experiment, *SECTIONS, trains=CODE, config_file=None)
    output = {Path(name).stem: diagnosis / name for name in DIAGNOSIS}
    output["sums"] = diagnosis / SUMS
    diagnose.packed.cache_clear()  # it is of other images, perhaps, in this process
    diagnose.main(told, variants, folder / "normalized", digits, output)
    inputs = output | {"vega": vega, "source": source}
    for key, file in {"metrics": "metrics.json", "histories": "history.csv", "predictions": "predictions.npz"}.items():
        inputs[key] = [variants / name / file for name in experiment.variants]
    inputs["plots"] = [variants / name / "yhat.png" for name in experiment.variants]
    report.main(inputs, told, {key: folder / key for key in ("summary", "config", "page")})


def write_source(path: Path) -> None:
    """source.json, as the download leaves it."""
    counts = {"train": {"0": 20, "1": 20}, "test": {"0": 5, "1": 5}}
    record = {"source": "sample", "fallback": False, "retry": None, "failed_mirrors": {}, "files": {}, "counts": counts}
    write_json(path, record)
