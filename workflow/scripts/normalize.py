"""Turn raw pixels into the network's input: one formula, with the statistics of the training set."""

from common.startup import torch

import io
from pathlib import Path

from common.errors import logged
from common.files import write
from common.params import read_params
from common.tensors import read_tensors
from formulas.parsing import parse_normalization
from training.normalization import normalized


def main(digits_file: Path, formula: str, constants: dict, output: Path) -> None:
    content = io.BytesIO()
    torch.save(normalized(read_tensors(digits_file), parse_normalization(formula, constants)), content)
    write(output, content.getvalue())


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        asked = read_params(snakemake.params)
        paths = Path(snakemake.input.digits), Path(snakemake.output.normalized)
        main(paths[0], asked["formula"], dict(asked["constants"]), paths[1])
        say(asked["formula"])
