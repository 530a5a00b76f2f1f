# A table of contents: config.yaml → variants → rules. What is made by default is results/report.html.

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.22")

HOME = Path(str(workflow.current_basedir))
SNAKEFILES = [HOME.resolve() / "Snakefile", HOME.resolve() / "workflow" / "Snakefile"]
IS_MAIN = Path(workflow.main_snakefile).resolve() in SNAKEFILES  # else it is a module of another workflow
sys.dont_write_bytecode |= workflow.output_settings.dryrun  # it writes nothing
sys.path.insert(0, str(HOME / "workflow" / "scripts"))  # first, whatever PYTHONPATH holds

from experiment.begun import begun_by_another
from experiment.config import Experiment, checked
from experiment.reading import file_in_use
from running.start import start

BEGUN = begun_by_another() if IS_MAIN and not workflow.is_main_process else None
CONFIG_FILE = None if BEGUN else file_in_use(HOME, IS_MAIN)
if CONFIG_FILE:

    configfile: CONFIG_FILE.path


report: "workflow/report/workflow.rst"


EXPERIMENT = Experiment(**BEGUN.experiment) if BEGUN else checked(config)
TERMINAL = start(workflow, HOME, EXPERIMENT, CONFIG_FILE, config) if IS_MAIN else None


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/report.smk"


rule all:
    """The report, and with it everything that it shows or links to."""
    default_target: True
    input:
        ALL_FILES,


onsuccess:
    if TERMINAL and TERMINAL.has_page:
        from reporting.closing import closing

        lines = closing(Path("results"), EXPERIMENT.variants, EXPERIMENT.diagnosis["trials"], EXPERIMENT.defaults)
        TERMINAL.close_with(lines, workflow.configfiles)
    if TERMINAL:
        TERMINAL.warn_of_mixture()


onerror:
    if TERMINAL:
        TERMINAL.close_with_errors()
