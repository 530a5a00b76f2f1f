"""Turn raw pixels into the network's input: one formula, with the statistics of the training set."""

from common.startup import torch

import io
from pathlib import Path

from autopsy.culprits import broken_normalization
from common.errors import logged
from common.files import write
from common.params import read_params
from common.tensors import read_tensors
from formulas.language import evaluate
from formulas.parsing import parse_normalization
from records.strict import as_json
from training.normalization import measure, normalized


def main(digits_file: Path, formula: str, constants: dict, output: Path) -> None:
    digits = read_tensors(digits_file)
    tree = parse_normalization(formula, constants)
    found = normalized(digits, tree)
    if not found["x_train"].isfinite().all():
        # Only here are the raw pixels at hand that say why; the autopsy of what is trained on these quotes it.
        trace: dict = {}
        raw = digits["train_images"]
        evaluate(tree, {"x": raw.flatten(1).float(), **measure(raw)}, trace=trace)
        found["broken"] = as_json(broken_normalization(tree, trace, found["y_train"]))
    content = io.BytesIO()
    torch.save(found, content)
    write(output, content.getvalue())


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        asked = read_params(snakemake.params)
        paths = Path(snakemake.input.digits), Path(snakemake.output.normalized)
        main(paths[0], asked["formula"], dict(asked["constants"]), paths[1])
        say(asked["formula"])
