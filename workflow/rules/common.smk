# What the rules share: the files of the whole, params that say what they are, and what a job may take.

from importlib import metadata
from platform import machine
from shutil import which

from common.errors import nearest
from common.params import each, param
from common.sources import SCRIPTS, TRAINING, digest


# Not each name that there is: Snakemake would look through them for each file, with 5,000 variants half of the time of
# `snakemake -n`. `known` tells of others.
wildcard_constraints:
    variant="[^/]+",
    normalization="[^/]+",


OF_A_VARIANT = ["model.pt", "broken.pt", "history.csv", "predictions.npz", "metrics.json", "SHA256SUMS", "yhat.png"]
OF_THE_DIAGNOSIS = ["losses.json", "same_weights.csv", "rewrites.json", "survival.csv", "pairs.json", "wrong.json"]
OF_THE_DIAGNOSIS += ["significance.json", "kinds.json", "pictures.npz", "SHA256SUMS"]
# Each by name: what is only an input of something that is there would not be missed.
ALL_FILES = [
    *expand("results/{file}", file=["report.html", "summary.csv", "config.yaml", "vega.js"]),
    *expand("results/data/{file}", file=["source.json", "digits.pt", "SHA256SUMS"]),
    *expand("results/data/normalized/{normalization}.pt", normalization=EXPERIMENT.normalizations),
    *expand("results/variants/{variant}/{file}", variant=EXPERIMENT.variants, file=OF_A_VARIANT),
    *expand("results/diagnosis/{file}", file=OF_THE_DIAGNOSIS),
]


def as_it_is(text):
    """A function that gives a param: in a text itself Snakemake would read the {x} of a note, say, as a wildcard."""
    return lambda wildcards: text


def fixed(name, value):
    return as_it_is(param(name, value))


def entries(section):
    """A param for each entry of a section of the experiment."""
    return [as_it_is(text) for text in each(section, getattr(EXPERIMENT, section))]


def setting(key):
    """The param of one setting of a job's variant."""
    return lambda wildcards: param(key, EXPERIMENT.variants[wildcards.variant][key])


def code(script, others=None):
    """A param that changes with what a script and all that it imports say (and the templates in a folder of others).

    Snakemake's own trigger `code` compares dates, of the script alone.
    """
    return fixed("code", digest(SCRIPTS / f"{script}.py", others=others and HOME / "workflow" / others))


def known(wildcards):
    """The same, where a variant of config.yaml has what they name; else the run ends."""
    for kind, name in wildcards.items():
        names = {"variant": EXPERIMENT.variants, "normalization": EXPERIMENT.normalizations}[kind]
        if name not in names:
            found = f"found no such {kind} among the variants of config.yaml"
            sys.exit(f"error: a file of {kind} '{name}' is asked for; {found}{nearest(name, names)}")
    return wildcards


def version(package):
    """Of an installed package; None where only the rule's own environment has it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def minutes(wildcards, attempt):
    """Of a training: a tenth of a second an epoch, trials and seeds included; on two cores it takes a third of that."""
    of = EXPERIMENT.variants[wildcards.variant]
    return attempt * (10 + of["epochs"] * len(of["seeds"]) * (1 + EXPERIMENT.diagnosis["trials"]) // 600)


def gpus(wildcards):
    """Accelerators that a training takes; of `auto`, one if this machine seems to have one (torch is not asked here)."""
    device = EXPERIMENT.variants[wildcards.variant]["device"]
    if device == "auto":
        return int(which("nvidia-smi") is not None or (sys.platform, machine()) == ("darwin", "arm64"))
    return int(device != "cpu")
