"""Does it train well? What this project says of labelled cases, beside what published rules say of the same runs.

    .venv/bin/python tests/benchmarks/rules.py [RESULTS] [--cases FILE --labels FILE] [--cache FOLDER]

Prints how many of the bad cases each finds, how many of the good ones it calls bad too, and of how many bad ones it
names the cause; then what each says of every case. RESULTS: the results/ of a finished run of the cases; without it,
the pipeline trains them in a temporary folder. --cases: a part of a config.yaml; --labels: a table (tab-separated) of
its variants with the columns variant, verdict (good or bad) and findings (the kinds that must be among those named:
`,` is and, `|` is or). Both are taken from ../shared/bench unless given. --cache: keeps what the rules look at.
Thirty cases of 200 epochs take minutes on two cores, and minutes again where there is no RESULTS.
"""

import argparse
import contextlib
import csv
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmark import ROOT, Project, raw_files
from published import CAUSES, RULES
from recording import Recording, recordings

sys.path.append(str(ROOT / "workflow/scripts"))

from common.errors import UserError
from experiment.config import Experiment, check
from experiment.reading import read_config

BENCH = ROOT.parent / "shared/bench"
PROJECT = "this project"


@dataclass(frozen=True)
class Case:
    """A labelled variant. required: the kinds of finding that must be among those named, `,` is and, `|` is or."""

    is_bad: bool
    required: str


@dataclass(frozen=True)
class Answer:
    """What one set of rules says of one case. words: its alarms, in short. kinds: of finding that it names."""

    is_alarm: bool
    words: list[str]
    kinds: set[str]


def names_cause(required: str, kinds: set[str]) -> bool:
    """Whether 'a,b|c' is met: a, and one of b and c, are among the kinds."""
    return all(kinds & set(either.split("|")) for either in required.split(","))


def read_labels(path: Path) -> dict[str, Case]:
    """{variant: its Case}. Raises UserError where the file is missing, or a verdict neither good nor bad."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    cases = {}
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("verdict") not in ("good", "bad"):
            raise UserError(f"{path}: {row.get('variant')}: found verdict {row.get('verdict')}, expected good or bad")
        cases[row["variant"]] = Case(is_bad=row["verdict"] == "bad", required=row["findings"] or "")
    return cases


def answers_of_rules(recording: Recording) -> dict[str, Answer]:
    """{name of a set of rules: its answer}."""
    answers = {}
    for name, find in RULES.items():
        alarms = find(recording)
        kinds = set().union(*(CAUSES[alarm] for alarm in alarms))
        answers[name] = Answer(is_alarm=bool(alarms), words=sorted(alarms), kinds=kinds)
    return answers


def answer_of_project(path: Path) -> Answer:
    """What a metrics.json says of its first seed. Raises UserError where it is missing or says nothing."""
    try:
        seed = json.loads(path.read_text(encoding="utf-8"))["seeds"][0]
        verdict, findings = seed["verdict"], seed["findings"]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise UserError(f"{path}: found no verdict and findings, expected what the pipeline writes") from None
    alarms = [finding["kind"] for finding in findings if finding["alarm"]]
    return Answer(is_alarm=verdict != "good", words=alarms, kinds={finding["kind"] for finding in findings})


def summary(cases: dict[str, Case], answers: dict[str, dict[str, Answer]]) -> str:
    """A row per set of rules; answers: {name of the rules: {variant: answer}}."""
    bad, good = ([name for name, case in cases.items() if case.is_bad == is_bad] for is_bad in (True, False))
    rows = []
    for rules, said in answers.items():
        found = sum(said[name].is_alarm for name in bad)
        false = sum(said[name].is_alarm for name in good)
        named = sum(names_cause(cases[name].required, said[name].kinds) for name in bad)
        rows.append([rules, f"{found}/{len(bad)}", f"{false}/{len(good)}", f"{named}/{len(bad)}"])
    return table(["rules", "found", "false alarms", "right cause"], rows)


def by_case(cases: dict[str, Case], answers: dict[str, dict[str, Answer]]) -> str:
    """A row per case, what each set of rules says of it; ✓ where that names the cause."""
    rows = []
    for name, case in cases.items():
        row = [name, case.required.replace("|", " or ").replace(",", " and ") if case.is_bad else "good"]
        for said in answers.values():
            answer = said[name]
            is_right = case.is_bad and names_cause(case.required, answer.kinds)
            # A verdict without an alarm is possible: no better than the best constant answer.
            words = ", ".join(answer.words) or ("bad" if answer.is_alarm else "–")
            row.append(f"✓ {words}" if is_right else words)
        rows.append(row)
    return table(["case", "label", *answers], rows)


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """In Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def labelled(cases_file: Path, labels_file: Path) -> tuple[dict, Experiment, dict[str, Case]]:
    """The config of the cases, the same checked, and their labels. Raises UserError where a case has no label."""
    config = read_config(str(cases_file))
    experiment, cases = check(config), read_labels(labels_file)
    if unpaired := sorted(set(cases) ^ set(experiment.variants)):
        raise UserError(f"{labels_file}: {unpaired[0]} is not in it and in {cases_file}, expected the same variants")
    return config, experiment, cases


def run_pipeline(config: dict, variants: Iterable[str]) -> Path:
    """The results/ of the variants, trained by the pipeline in a temporary folder."""
    config.setdefault("data", {})
    project = Project(config)
    project.snakemake(*(f"results/variants/{name}/metrics.json" for name in variants))
    return project.folder / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="?", type=Path, help="results/ of a finished run of the cases")
    parser.add_argument("--cases", type=Path, default=BENCH / "cases.yaml")
    parser.add_argument("--labels", type=Path, default=BENCH / "labels.tsv")
    parser.add_argument("--cache", type=Path, help="a folder for what the rules look at")
    options = parser.parse_args()
    config, experiment, cases = labelled(options.cases, options.labels)
    if options.results is None:
        print(f"the pipeline trains {len(cases)} cases", file=sys.stderr, flush=True)
    results = options.results or run_pipeline(config, cases)
    ours = {name: answer_of_project(results / f"variants/{name}/metrics.json") for name in cases}
    answers: dict[str, dict[str, Answer]] = {name: {} for name in RULES}
    variants = {name: experiment.variants[name] for name in cases}
    recorded = recordings(variants, experiment.data["classes"], raw_files(), options.cache)
    for place, (name, recording) in enumerate(recorded, 1):
        print(f"recorded {place} of {len(cases)}: {name}", file=sys.stderr, flush=True)
        for rules, answer in answers_of_rules(recording).items():
            answers[rules][name] = answer
    answers[PROJECT] = ours
    print(summary(cases, answers), by_case(cases, answers), sep="\n\n")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # where the pipeline's working directory is made, to go with it
        try:
            main()
        except UserError as error:
            sys.exit(f"error: {error}")
