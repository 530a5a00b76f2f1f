# config.yaml → schema → variants → rules. What is made by default is results/report.html.

import json
import re
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

HOME = Path(str(workflow.current_basedir))
sys.path.append(str(HOME / "workflow" / "scripts"))

from experiment.config import check, read
from experiment.effective import effective
from common.errors import UserError
from common.lock import clear_what_is_left
from common.sources import mark
from common.terminal import Terminal

# The config.yaml of the working directory (--directory), else the one beside this file. As a module of another
# workflow, whose own config.yaml stands in the working directory, always the latter, unless it passes `config:`.
IS_MAIN = Path(workflow.main_snakefile).resolve() in [
    HOME.resolve() / name for name in ("Snakefile", "workflow/Snakefile")
]
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

IS_RUN = IS_MAIN and workflow.is_main_process and not workflow.output_settings.dryrun
if IS_RUN:
    LOCK = clear_what_is_left(Path(".snakemake"), ["results/data/raw"])
    TERMINAL = Terminal(
        logger,
        before=f"mnist01: {EXPERIMENT.in_words}",
        width=min(40, max(map(len, EXPERIMENT.variants))),
        page=Path("results/report.html"),
        is_brief=[str(about) for about in workflow.output_settings.quiet or ()] == ["host"],
    )


wildcard_constraints:
    variant="|".join(map(re.escape, EXPERIMENT.variants)),
    normalization="|".join(map(re.escape, EXPERIMENT.normalizations)),


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/report.smk"


rule all:
    """The report, and with it everything that it shows."""
    default_target: True
    input:
        "results/report.html",


onsuccess:
    # With a default storage provider they are not here.
    if IS_RUN and "report" in TERMINAL.made and TERMINAL.page.exists():
        from reporting.closing import closing

        lines = closing(Path("results"), EXPERIMENT.variants, EXPERIMENT.defaults)
        TERMINAL.close_with(lines, list(map(str, workflow.configfiles)))


onerror:
    if IS_RUN:
        TERMINAL.close_with_errors()
