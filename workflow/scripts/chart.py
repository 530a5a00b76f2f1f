"""What a loss is before any training: what float32 makes of it at every logit, and whether it is better typed."""

from common.startup import torch

from common.errors import logged
from common.files import write_json, write_sums
from common.params import read_params
from losses.facts import is_safe
from losses.rewrites import form_to_tell
from losses.sign_chart import sign_chart
from records.losses import LossFile
from records.strict import as_json
from training.loss import build_loss


def main(definition: list, output: dict) -> str:
    """Writes what was found; tells it in a line."""
    loss = build_loss(definition)
    known = LossFile(definition=definition, chart=sign_chart(loss), better=form_to_tell(loss))
    write_json(output["chart"], as_json(known))
    write_sums(output["sums"], [output["chart"]])
    told = "safe" if is_safe(known.chart) else "not finite for images that are right"
    return f"{told}; can be typed better" if known.better else told


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        torch.set_num_threads(snakemake.threads)
        say(main(read_params(snakemake.params)["definition"], dict(snakemake.output.items())))
