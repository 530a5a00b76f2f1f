"""What happens before the first rule, where this workflow is no module of another: one run at a time, its jobs, its
terminal. Imported by the Snakefile: no torch, pandas or matplotlib here."""

import sys
import time
from pathlib import Path

from snakemake.logging import logger

from common.english import counted
from common.errors import UserError, let_jobs_end_with_this_process
from common.sources import TRAINING, digest
from experiment.begun import Begun, keep_begun
from experiment.config import Experiment
from experiment.reading import ConfigFile
from experiment.recorded import notice, trained_otherwise
from running.dates import bring_back
from running.environment import keep_out_of_jobs
from running.internals import lacking
from running.lock import LISTS, READS, check_folders, has_one, restore, take
from running.terminal import Terminal

BOOKKEEPING, RESULTS = Path(".snakemake"), Path("results")  # of the working directory


def start(workflow, home: Path, experiment: Experiment, file: ConfigFile | None, config: dict) -> Terminal | None:
    """Prepare what this process was called for: to run, to plan or only to look. Ends it with one line where it can do
    nothing.

    home: the folder of the Snakefile; file: config.yaml, None in a job; config: what that and the command line say.
    Returns what follows the run and says how it ended; None where this is one of its jobs.
    """
    if {"{", "}"} & set(str(home)):
        sys.exit(f"error: {home}: found a brace in the project's path, which Snakemake would read as a wildcard")
    scripts = home.resolve() / "workflow" / "scripts"
    let_jobs_end_with_this_process()
    keep_out_of_jobs(scripts)
    if not workflow.is_main_process or file is None:
        return None
    for line in experiment.warnings:
        warn(line)
    is_dry = workflow.output_settings.dryrun
    arguments = sys.argv[1:] if "snakemake" in sys.argv[0] else []  # else of a program that uses Snakemake
    is_run = not is_dry and not has_one(arguments, READS)
    try:
        check_folders(*[BOOKKEEPING] * (not has_one(arguments, LISTS)), *[RESULTS] * is_run)
        if is_run:
            _mend(experiment, take(RESULTS))
            keep_begun(Begun(file.text, file.content == config, vars(experiment)))
    except UserError as error:
        sys.exit(f"error: {error}")
    why_not = None
    if is_run and not (why_not := lacking()):
        from running import start_rate, warm

        start_rate.lift(workflow)
        warm.use_for(scripts)
    elif is_run:
        warn(f"{why_not}: jobs start slower, and its own lines are shown")
    models = [f"{name} {seed}" for name, of in experiment.variants.items() for seed in of["seeds"]]
    quiet = [str(about) for about in workflow.output_settings.quiet or ()]
    return Terminal(
        logger,
        before=f"mnist01: {experiment.in_words}",
        width=min(40, max(map(len, models))),
        page=RESULTS / "report.html",
        is_run=is_run,
        is_brief=is_run and not why_not and quiet == ["host"],
        mixture=lambda but: notice(
            trained_otherwise(experiment.variants, experiment.data, digest(*TRAINING), RESULTS, but),
            experiment.variants,
            home,
        ),
    )


def _mend(experiment: Experiment, is_alone: bool) -> None:
    """What a killed run left, and dates of the future, from which Snakemake fails whatever is made of them."""
    if is_alone:
        restore(RESULTS / "data/raw", BOOKKEEPING / "backups")
    else:
        warn(f"{RESULTS}: no lock is to be had here, so see to it that no other run is alive")
    if count := bring_back(RESULTS):
        warn(f"{RESULTS}: found {counted(count, 'date')} in the future, set to now in the same order")
    for archive in experiment.local_archive:
        if Path(archive).stat().st_mtime > time.time():
            raise UserError(f"data.source: {archive}: found a date in the future; touch it")


def warn(line: str) -> None:
    print(f"warning: {line}", file=sys.stderr)
