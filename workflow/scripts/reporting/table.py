"""The rows of the page's table, best first, and what its filter knows of each."""

from collections.abc import Callable
from dataclasses import dataclass

from diagnosis.records import Metrics
from reporting import intervals
from reporting.intervals import Wrong
from reporting.summary import Row

KEPT = 200  # wrong test images of a variant that the page can compare with those of another


@dataclass(frozen=True)
class Line:
    """A row with its wrong images per part, and its place: best, equal (not significantly worse) or ''."""

    row: Row
    place: str
    test: Wrong | None
    train: Wrong | None


def lines(rows: list[Row], best: list[str], equals: list[str]) -> list[Line]:
    """The best first; those with a seed that fails after all others, those that diverged last."""
    places = dict.fromkeys(equals, "equal") | dict.fromkeys(best, "best")
    found = [
        Line(row, places.get(row.variant, ""), intervals.of_test(row), intervals.wrong(row.accuracy, row.n))
        for row in rows
    ]
    return sorted(found, key=_order)


def _order(line: Line) -> tuple:
    wrong = [one.mean if one else float("inf") for one in (line.test, line.train)]
    return bool(line.row.diverged_epochs), bool(line.row.verdicts["fails"]), *wrong


def swept(rows: list[Row], differing: list[str]) -> list[str]:
    """The settings that differ between variants, loss and normalization first."""
    return [key for key in ("loss", "normalization") if len({row.settings[key] for row in rows}) > 1] + differing


def facts(rows: list[Row], metrics: list[Metrics], wrong: dict, shown: Callable) -> dict[str, dict]:
    """{variant: what report.js filters and compares by}.

    settings: as text; test_wrong: the mean over seeds; verdict, finding: those of any seed; missed: the wrong test
    images of the first seed that survived, None where there are none or too many. shown: a setting as text.
    """
    return {
        row.variant: {
            "settings": {
                key: value if isinstance(value, int | float) else shown(value)
                for key, value in row.settings.items()
                if not key.endswith("_definition")
            },
            "test_wrong": found.mean if (found := intervals.of_test(row)) else None,
            "verdict": sorted({"diverged" if one.status == "diverged" else one.verdict for one in entry.seeds}),
            "finding": sorted({finding.kind for one in entry.seeds for finding in one.findings}),
            "missed": _missed(entry, wrong[row.variant]["test"]),
        }
        for row, entry in zip(rows, metrics, strict=True)
    }


def _missed(entry: Metrics, wrong: dict) -> list[int] | None:
    for one in entry.seeds:
        if one.test_correct is not None:
            found = wrong.get(str(one.seed), [])
            return found if len(found) <= KEPT else None
    return None
