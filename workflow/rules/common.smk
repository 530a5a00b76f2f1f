# How rules depend on the project's own code, and on packages: by content and version; how long a training may take.

from importlib import metadata
from platform import machine
from shutil import which

from common.errors import nearest
from snakemake import jobs

SCRIPTS = HOME.resolve() / "workflow" / "scripts"


def code(script, others=None):
    """An input whose name changes with the content of a script and of all that it imports (and of a folder of others).

    An input, not a param, so that it counts whatever a profile says of `rerun-triggers`; local, because no storage
    provider has it.
    """
    path = mark(Path(".snakemake/code"), SCRIPTS / f"{script}.py", others and HOME / "workflow" / others)
    # Relative, so that a project that moved, with its results in it, runs nothing; a module's `prefix` would change it.
    return local(str(path if IS_MAIN else path.absolute()))


def known(wildcards):
    """The same, where a variant of config.yaml has what they name; else the run ends."""
    for kind, name in wildcards.items():
        names = {"variant": EXPERIMENT.variants, "normalization": EXPERIMENT.normalizations}[kind]
        if name not in names:
            found = f"found no such {kind} among the variants of config.yaml"
            sys.exit(f"error: a file of {kind} '{name}' is asked for; {found}{nearest(name, names)}")
    return wildcards


def settings(name):
    """An input that holds a job's params, by the name of what it runs; none in a module, whose names are others'.

    So that an edit counts whatever a profile says of `rerun-triggers`, and when .snakemake/ is gone.
    """

    def of(wildcards):
        known(wildcards)
        if not IS_MAIN:
            return []
        params = {
            key: value(wildcards) if callable(value) else value for key, value in workflow.get_rule(name).params.items()
        }
        file = Path("results/settings", name, *wildcards)
        path = kept(file.with_name(f"{file.name}.json"), params, workflow.is_main_process)
        return local(str(path)) if path else []

    return of


def script_date(path, date_of_others=jobs.get_script_mtime):
    return 0.0 if Path(path).resolve().is_relative_to(SCRIPTS) else date_of_others(path)


# Snakemake makes anew what is older than its script: a `touch` or a `git checkout` would run everything.
jobs.get_script_mtime = script_date


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
