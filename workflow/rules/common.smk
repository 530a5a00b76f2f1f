# What the rules share: the files of the whole, params that say what they are, and what a job may take.

from importlib import metadata
from platform import machine
from shutil import which

from common.errors import nearest
from common.params import each, param
from common.sources import SCRIPTS, TRAINING, digest
from experiment.begun import BEGUN_FILE
from records.training import KEYS, MODEL_FILES


# Not each name that there is: Snakemake would look through them for each file, with 5,000 variants half of the time of
# `snakemake -n`. `known` tells of others.
wildcard_constraints:
    loss="[^/]+",
    variant="[^/]+",
    seed="\\d+",
    normalization="[^/]+",


def of_variants(file):
    """That file of each variant."""
    return expand("results/variants/{variant}/{file}", variant=EXPERIMENT.variants, file=file)


def of_models(*keys):
    """Those files of each model of a variant, by what they are: a function of its job's wildcards."""
    return lambda wildcards: [
        f"results/variants/{wildcards.variant}/{seed}/{MODEL_FILES[key]}"
        for seed in EXPERIMENT.variants[known(wildcards).variant]["seeds"]
        for key in keys
    ]


def of_all_models(*keys):
    """Those files of each model of each variant."""
    return [
        f"results/variants/{variant}/{seed}/{MODEL_FILES[key]}"
        for variant, settings in EXPERIMENT.variants.items()
        for seed in settings["seeds"]
        for key in keys
    ]


COMPARISON = ["same_weights.csv", "survival.csv", "changes.json", "significance.json", "wrong.json", "SHA256SUMS"]
# Each by name: what is only an input of something that is there would not be missed.
ALL_FILES = [
    *expand("results/{file}", file=["report.html", "summary.csv", "config.yaml", "vega.js"]),
    *expand("results/data/{file}", file=["source.json", "digits.pt", "digits.npz", "SHA256SUMS"]),
    *expand("results/data/normalized/{normalization}.pt", normalization=EXPERIMENT.normalizations),
    *expand(
        "results/losses/{file}", file=[f"{loss}.json{end}" for loss in EXPERIMENT.losses for end in ("", ".sha256")]
    ),
    *of_all_models(*MODEL_FILES),
    *of_variants(["metrics.json", "SHA256SUMS", "yhat.png"]),
    *expand("results/comparison/{file}", file=COMPARISON),
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
    """The same, where config.yaml has what they name; else the run ends."""
    names = {"variant": EXPERIMENT.variants, "normalization": EXPERIMENT.normalizations, "loss": EXPERIMENT.losses}
    for kind, name in wildcards.items():
        if kind == "seed":
            names["seed"] = list(map(str, EXPERIMENT.variants[wildcards.variant]["seeds"]))
        if name not in names[kind]:
            place = f"variant '{wildcards.variant}'" if kind == "seed" else "config.yaml"
            found = f"found no such {kind} in {place}"
            sys.exit(f"error: a file of {kind} '{name}' is asked for; {found}{nearest(name, names[kind])}")
    return wildcards


def version(package):
    """Of an installed package; None where only the rule's own environment has it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def minutes(trainings):
    """Of so many trainings: a tenth of a second an epoch; on two cores it takes a third of that."""
    return lambda wildcards, attempt: (
        attempt * (10 + EXPERIMENT.variants[wildcards.variant]["epochs"] * trainings // 600)
    )


def gpus(wildcards):
    """Accelerators that a training takes; of `auto`, one if this machine seems to have one (torch is not asked here)."""
    device = EXPERIMENT.variants[wildcards.variant]["device"]
    if device == "auto":
        return int(which("nvidia-smi") is not None or (sys.platform, machine()) == ("darwin", "arm64"))
    return int(device != "cpu")
