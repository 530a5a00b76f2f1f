# config.yaml → schema → variants → rules. What is made by default is results/report.html.

import json
import sys
import time
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

HOME = Path(str(workflow.current_basedir))
IS_MAIN = Path(workflow.main_snakefile).resolve() in [
    HOME.resolve() / name for name in ("Snakefile", "workflow/Snakefile")
]
if {"{", "}"} & set(str(HOME)):
    sys.exit(f"error: {HOME}: found a brace in the project's path, which Snakemake would read as a wildcard")

# First, whatever PYTHONPATH holds; but not for a workflow that has this one as a module.
sys.path.insert(0 if IS_MAIN else len(sys.path), str(HOME / "workflow" / "scripts"))

from experiment.config import check, read
from experiment.effective import effective
from common.dates import bring_back
from common.english import counted
from common.environment import keep_out_of_jobs
from common.errors import UserError, let_jobs_end_with_this_process
from common.lock import AnotherRunError, check_folder, clear_what_is_left, not_writable
from common.rate import lift
from common.settings import kept
from common.sources import mark
from common.terminal import Terminal
from common.warm import use_for

let_jobs_end_with_this_process()
if IS_MAIN:
    keep_out_of_jobs(HOME / "workflow" / "scripts")

# The config.yaml of the working directory (--directory), else the one beside this file. As a module of another
# workflow, whose own config.yaml stands in the working directory, always the latter, unless it passes `config:`.
CONFIG_FILE = "config.yaml" if IS_MAIN and Path("config.yaml").exists() else str(HOME / "config.yaml")

# Snakemake would import pandas, a fifth of the time of `snakemake -n`, to see whether a param is a table; none is.
if IS_MAIN:
    sys.modules.setdefault("pandas", None)

# sys.exit prints its one line and ends with status 1; an exception would add the Snakefile's own lines.
try:
    read(CONFIG_FILE)
except UserError as error:
    sys.exit(f"error: {error}")


configfile: CONFIG_FILE


report: "workflow/report/workflow.rst"


try:
    EXPERIMENT = check(config)
except UserError as error:
    sys.exit(f"error: {error}")

if IS_MAIN and workflow.is_main_process:
    for line in EXPERIMENT.warnings:
        print(f"warning: {line}", file=sys.stderr)

if IS_MAIN:
    try:
        check_folder(Path(".snakemake"))
    except UserError as error:
        sys.exit(f"error: {error}")

IS_RUN = workflow.is_main_process and not workflow.output_settings.dryrun
# Snakemake writes even in a dry run; to list rules, say, it need not.
if IS_MAIN and (folder := not_writable(Path(".snakemake"), Path("results"))):
    NOT_WRITABLE = f"error: {folder}: cannot be written; name another --directory"
    workflow.execute = workflow.unlock = lambda **_: sys.exit(NOT_WRITABLE)

if IS_RUN:
    # Of a module, where its `prefix` puts it.
    made = None if IS_MAIN else str(workflow.modifier.modify_path("results/"))
    try:
        clear_what_is_left(Path(".snakemake"), f"{made or 'results/'}data/raw", made)
    except AnotherRunError as error:
        ALIVE = f"error: {error}"
        workflow.unlock = lambda: sys.exit(ALIVE)  # what --unlock calls
    else:
        for path in (Path("results"), Path(".snakemake/code")) if IS_MAIN else ():
            if count := bring_back(path):
                told = f"found {counted(count, 'date')} in the future, set to now in the same order"
                print(f"warning: {path}: {told}", file=sys.stderr)

if IS_RUN and IS_MAIN:
    lift(workflow)
    use_for(HOME.resolve() / "workflow" / "scripts")
    for archive in EXPERIMENT.local_archive:
        if Path(archive).stat().st_mtime > time.time():
            sys.exit(f"error: data.source: {archive}: found a date in the future; touch it")
    TERMINAL = Terminal(
        logger,
        before=f"mnist01: {EXPERIMENT.in_words}",
        width=min(40, max(map(len, EXPERIMENT.variants))),
        page=Path("results/report.html"),
        is_brief=[str(about) for about in workflow.output_settings.quiet or ()] == ["host"],
    )


# Not each name that there is: Snakemake would look through them for each file, with 5,000 variants half of the time of
# `snakemake -n`. `known` tells of others.
wildcard_constraints:
    variant="[^/]+",
    normalization="[^/]+",


FILES_OF_A_VARIANT = ["model.pt", "broken.pt", "history.csv", "predictions.npz", "metrics.json", "SHA256SUMS"]
FILES_OF_A_VARIANT += ["yhat.png"]
FILES_OF_THE_DIAGNOSIS = ["losses.json", "same_weights.csv", "rewrites.json", "survival.csv", "pairs.json"]
FILES_OF_THE_DIAGNOSIS += ["wrong.json", "kinds.json", "pictures.npz", "SHA256SUMS"]


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/report.smk"


rule all:
    """The report, and with it everything that it shows or links to."""
    default_target: True
    input:
        # Each by name: what is only an input of something that is there would not be missed.
        expand("results/{file}", file=["report.html", "summary.csv", "config.yaml", "vega.js"]),
        expand("results/data/{file}", file=["source.json", "digits.pt", "SHA256SUMS"]),
        expand("results/data/normalized/{normalization}.pt", normalization=EXPERIMENT.normalizations),
        expand("results/variants/{variant}/{file}", variant=EXPERIMENT.variants, file=FILES_OF_A_VARIANT),
        expand("results/diagnosis/{file}", file=FILES_OF_THE_DIAGNOSIS),


onsuccess:
    # With a default storage provider they are not here.
    if IS_RUN and IS_MAIN and "report" in TERMINAL.made and TERMINAL.page.exists():
        from reporting.closing import closing

        lines = closing(Path("results"), EXPERIMENT.variants, EXPERIMENT.defaults)
        TERMINAL.close_with(lines, list(map(str, workflow.configfiles)))


onerror:
    if IS_RUN and IS_MAIN:
        TERMINAL.close_with_errors()
