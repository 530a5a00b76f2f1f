"""What a run says in the terminal: a line per job, with what came out.

Snakemake tells each job's files, resources and reason, ten lines a job; its log, .snakemake/log/, keeps that text.
"""

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Container
from pathlib import Path
from signal import SIGINT

from common.english import counted
from common.errors import ERASE

# By name, since a release may rename one: then it is shown.
MUTED = ("JOB_INFO", "JOB_STARTED", "JOB_FINISHED", "PROGRESS", "RESOURCES_INFO", "RUN_INFO", "SHELLCMD")
# What Snakemake says without an event. Anything else it says is shown.
MUTED_TEXTS = re.compile(
    "Assuming unrestricted shared|Building DAG|Using shell|Select jobs|Conda environments: ignored|Elapsed time|"
    "Complete log|Execute \\d+ jobs|Nothing to be done|Storing in storage|Finished upload|Removing local copy|"
    "Retrieving from storage|Finished download|Terminating processes on user request"
)
COLOURS = {"good": 32, "faulty": 33, "fails": 31, "diverged": 31, "error:": 31}
FAILED = "WorkflowError:\nAt least one job did not complete"
# Of a job that was killed: its own end, or that of the shell around it, 128 and the signal.
KILLED = re.compile(r"died with \D*(\d+)|non-zero exit status (129|1[3-9]\d)\b")
INTERRUPTED = "interrupted; the same command goes on"


def has_colours(stream) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


class Terminal(logging.Handler):
    """Follows a run of Snakemake, and speaks in place of its own stream handler where there is one.

    before: the first line, up to the number of jobs; width: of the longest wildcard; page: what the run is for; is_run:
    else it is only planned; is_brief: whether it speaks in Snakemake's place; mixture: what is to be said of models of
    other settings than now, but for some of them.
    """

    def __init__(
        self,
        logger: logging.Logger,
        before: str,
        width: int,
        page: Path,
        is_run: bool,
        is_brief: bool,
        mixture: Callable[[Container[str]], str | None],
    ):
        super().__init__(logging.INFO)
        self.logger, self.before, self.width, self.page = logger, before, width, page
        self.is_run, self.mixture = is_run, mixture
        self.start = time.monotonic()
        self.jobs: dict[int, dict] = {}
        self.made: list[str] = []  # rules of jobs that ended well
        self.failed: dict[int, dict] = {}  # jobs that did not end well when they were last tried
        self.signals: dict[int, int | None] = {}  # what killed the job that a thread of Snakemake says the end of
        self.is_interrupted = self.is_closed = False
        self.cores = None
        self.total = 0
        # None where a logger plugin has replaced it, which draws what it likes.
        own = next((one for one in logger.handlers if one.name == "DefaultStreamHandler"), None) if is_brief else None
        self.own, self.stream = own, own.stream if own else None
        if own:
            own.addFilter(self.is_left)
            sys.excepthook = self.end
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.follow(record)
        except Exception as error:  # what is said must not end a run
            self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Leave the terminal to Snakemake: its records are other ones than those that this knows."""
        self.logger.removeHandler(self)
        if self.own:
            self.own.removeFilter(self.is_left)
            self.stream = None
        print(f"warning: Snakemake's own lines are shown: {type(error).__name__}: {error}", file=sys.stderr)

    def follow(self, record: logging.LogRecord) -> None:
        text = str(record.msg)
        match event_of(record):
            case "RESOURCES_INFO":
                self.cores = getattr(record, "cores", self.cores)
            case "RUN_INFO" if self.is_run:
                self.total = record.stats["total"] - record.stats.get("all", 0)  # `all` only waits for the others
                self.begin()
            case "JOB_INFO":
                self.jobs[record.jobid] = record.__dict__ | {"start": time.monotonic()}
            case "JOB_FINISHED":
                self.failed.pop(record.job_id, None)
                self.finish(self.jobs[record.job_id])
            case "ERROR":
                self.signals[record.thread] = signal_of(record)
            case "JOB_ERROR":
                self.failed[record.jobid] = record.__dict__ | {"signal": self.signals.pop(record.thread, None)}
            case None if text.startswith("Terminating processes on user request"):
                self.is_interrupted = True
            case None if text.startswith("Nothing to be done"):
                if self.is_run and self.page.exists():
                    self.say(f"nothing to do; the page is {self.page.resolve().as_uri()}")
                self.warn_of_mixture()
            case None if text.startswith("This was a dry-run"):
                trained = [job["wildcards"] for job in self.jobs.values() if job["rule_name"] == "train"]
                self.warn_of_mixture([f"{of['variant']}/{of['seed']}" for of in trained])

    def warn_of_mixture(self, but: Container[str] = ()) -> None:
        if line := self.mixture(but):
            print(f"warning: {line}", file=sys.stderr)

    def is_left(self, record: logging.LogRecord) -> bool:
        """Whether Snakemake's own handler still shows a record."""
        event, text = event_of(record), str(record.msg)
        if record.levelno > logging.INFO:
            if text.startswith(FAILED):
                return not (self.failed or self.is_interrupted)  # said with the reason
            # At Ctrl-C each job says so, some of them before Snakemake does.
            return (self.signals.get(record.thread) if event == "JOB_ERROR" else signal_of(record)) != SIGINT
        return not (event in MUTED or (event is None and MUTED_TEXTS.match(text)))

    def begin(self) -> None:
        if self.stream:
            on = f" on {counted(self.cores, 'core')}" if self.cores else ""
            self.say(f"{self.before}; {counted(self.total, 'job')}{on}")

    def finish(self, job: dict) -> None:
        if job["rule_name"] == "all":
            return
        self.made.append(job["rule_name"])
        if self.stream:
            now = time.monotonic()
            place = f"[{len(self.made):>{len(str(self.total))}}/{self.total} {clock(now - self.start):>5}]"
            wildcard = " ".join(job["wildcards"].values())
            words = [f"{job['rule_name']:9}", f"{wildcard:{self.width}}" if wildcard else "", last_line(job["log"])]
            self.say(f"{place} {'  '.join(filter(None, words))}  {now - job['start']:.1f} s")

    def say(self, *lines: str) -> None:
        """One write, so that lines of other processes stay whole."""
        if not self.stream:
            self.logger.info("\n".join(lines))
            return
        text = "".join(f"{line}\n" for line in lines)
        if has_colours(self.stream):
            words = "|".join(map(re.escape, COLOURS))
            text = re.sub(rf"(?<=  )({words})(?!\w)", lambda found: f"\x1b[{COLOURS[found[0]]}m{found[0]}\x1b[0m", text)
        self.stream.write((ERASE if self.stream.isatty() else "") + text)
        self.stream.flush()

    @property
    def has_page(self) -> bool:
        """Whether this run made the page; with a default storage provider it is not here."""
        return "report" in self.made and self.page.exists()

    def close_with(self, lines: list[str], configs: list[str | Path]) -> None:
        """The last lines of a run that made the page, of these config files."""
        page = self.page.resolve()
        where = [f"  page      {page.as_uri()}", f"  table     {page.with_name('summary.csv')}"]
        where.append(f"  config    {', '.join(dict.fromkeys(map(str, configs)))}")
        self.say("", *lines, *where, f"  took      {time.monotonic() - self.start:.0f} s")

    def close_with_errors(self) -> None:
        """The last lines of a run that failed: of each such job its own words, and its log."""
        if self.is_closed:
            return
        self.is_closed = True
        lines = []
        for jobid, job in self.failed.items():
            if self.is_interrupted and job["signal"] == SIGINT:
                continue
            texts = {path: text_of(path) for path in job["log"]}
            logs = [path for path, text in texts.items() if text.strip()]
            why = f": see {', '.join(logs)}" if logs else ""
            if job["signal"]:
                why = f": killed by signal {job['signal']}" + ": was memory full?" * (job["signal"] == 9)
            name = " ".join([job["rule_name"], *self.jobs.get(jobid, {"wildcards": {}})["wildcards"].values()])
            lines += [f"failed: {name}{why}"]
            lines += [line for text in texts.values() for line in text.splitlines() if line.startswith("error:")]
        if lines:
            self.say("", *lines)
        if self.is_interrupted:
            self.say(INTERRUPTED)

    def end(self, kind: type[BaseException], error: BaseException, trace) -> None:
        """Ctrl-C while no job runs, or once more, ends Python itself: in place of its traceback."""
        if not issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self.is_interrupted = True
        self.close_with_errors()


def event_of(record: logging.LogRecord) -> str | None:
    """The name of Snakemake's event."""
    return getattr(getattr(record, "event", None), "name", None)


def signal_of(record: logging.LogRecord) -> int | None:
    """What killed a job, by Snakemake's own text of its end."""
    found = KILLED.search(str(record.msg))
    return found and int(found[1] or int(found[2]) - 128)


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # not on this machine, say


def last_line(logs: list[str]) -> str:
    return next((line for path in logs for line in reversed(text_of(path).splitlines()) if line.strip()), "")
