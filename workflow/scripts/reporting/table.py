"""The rows of the page's table, best first, and what its filter knows of each."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from common.english import amount, shortened
from comparing.statistics import SIGNIFICANT
from records.comparison import Significance
from records.metrics import Metrics
from records.training import as_named
from reporting import intervals
from reporting.intervals import Wrong
from reporting.summary import VariantRow

NAME = 40  # letters of a name that is shown whole
TABLE_LETTERS = 72  # letters for alarms and settings where the window is 1280 wide and names are short
NARROWEST = 4  # letters of a column


@dataclass(frozen=True)
class Line:
    """A row with its wrong images per part, and its place: best, equal (not significantly worse) or ''.

    train: the mean over the seeds that survived.
    """

    row: VariantRow
    place: str
    test: Wrong | None
    train: float | None


def table_lines(rows: list[VariantRow], best: list[str], equals: list[str]) -> list[Line]:
    """The best first; those that fail after all others, those that diverged last. One alone has no place."""
    places = dict.fromkeys(equals, "equal") | dict.fromkeys(best, "best") if len(rows) > 1 else {}
    found = [
        Line(row, places.get(row.variant, ""), intervals.of_test(row), intervals.mean_wrong(row.accuracy, row.n))
        for row in rows
    ]
    return sorted(found, key=_order)


def _order(line: Line) -> tuple:
    counts = [line.test and line.test.mean, line.train]
    wrong = [math.inf if count is None else count for count in counts]
    return line.row.word == "diverged", line.row.word == "fails", line.place != "best", *wrong


def swept(rows: list[VariantRow], differing: list[str]) -> list[str]:
    """The settings that differ between variants, loss and normalization first."""
    return [key for key in ("loss", "normalization") if len({row.settings[key] for row in rows}) > 1] + differing


def letters(lines: list[Line], swept: list[str], shown: Callable) -> dict[str, int]:
    """The width of what differs in it: variant, verdict, kinds (the alarms beside it), wrong, spread, and each key in
    swept; wanted, what all alarms and settings would take.

    All alarms and settings together get what the names leave; where that is too little, the widest give first.
    """
    rows = [line.row for line in lines]
    tests = [line.test for line in lines if line.test]
    found = {
        "wrong": max([len(amount(one.mean)) for one in tests], default=1),
        "spread": max([len(intervals.spread(one).removeprefix("95 %: ")) for one in tests], default=1),
        "variant": max(len(shortened(row.variant, NAME)) for row in rows),
        "verdict": max(len(row.state) for row in rows) + 2,
        "kinds": max(NARROWEST, *(len(", ".join(row.alarms)) for row in rows)) + 1,
    }
    wanted = {"kinds": found["kinds"]}
    wanted |= {key: max(len(key), *(len(shown(row.settings[key])) for row in rows)) + 1 for key in swept}
    widest = max(wanted.values())

    def given() -> dict[str, int]:
        # Alarms tell more than a setting, which names tell, too.
        return {key: min(widest * 3 // 2 if key == "kinds" else widest, width) for key, width in wanted.items()}

    while widest > NARROWEST and sum(given().values()) > TABLE_LETTERS - found["variant"]:
        widest -= 1
    return found | given() | {"wanted": sum(wanted.values())}


def page_facts(
    rows: list[VariantRow], metrics: list[Metrics], wrong: dict, significance: Significance, shown: Callable
) -> dict:
    """What the page filters and compares by: variants, {name: …}; sets, lists of test images, each once; compared,
    p_values and corrected, as a Significance has them; pairs and unranked, the `pairs` and `out` of its ranking;
    significant, the bound of a p.

    Of a variant: settings, as text, but for the list of seeds; test_wrong, train_wrong, the means over seeds; verdict,
    the word of its worst model; state, with their number; finding, the kinds of any seed; alarms, those that are
    alarms; wrong, per seed which of the sets it gets wrong, None if it gives no answer. shown: a setting as text.
    """
    sets: dict[tuple[int, ...], int] = {}

    def number(images: list[int] | None) -> int | None:
        return None if images is None else sets.setdefault(tuple(images), len(sets))

    variants = {
        row.variant: {
            "settings": {
                key: value if isinstance(value, int | float) or key == "seeds" else shown(value)
                for key, value in as_named(row.settings).items()
            },
            "test_wrong": intervals.mean_wrong(row.test_accuracy, row.test_n),
            "train_wrong": intervals.mean_wrong(row.accuracy, row.n),
            "verdict": entry.word,
            "state": entry.state,
            "alarms": [kind for kind in row.alarms if kind != "diverged"],
            "finding": sorted({finding.kind for model in entry.seeds for finding in model.findings}),
            "wrong": [number(wrong[row.variant]["test"].get(str(model.seed))) for model in entry.seeds],
        }
        for row, entry in zip(rows, metrics, strict=True)
    }
    return {
        "variants": variants,
        "sets": list(sets),
        "compared": significance.compared,
        "p_values": [list(map(_short, of_one)) for of_one in significance.p_values],
        "corrected": [list(map(_short, of_one)) for of_one in significance.corrected],
        "pairs": significance.ranking.pairs,
        "unranked": significance.ranking.out,
        "significant": SIGNIFICANT,
    }


def _short(p: float) -> float:
    """A p to three digits; what is below the bound is not rounded to it."""
    rounded = float(f"{p:.3g}")
    return math.floor(1e4 * p) / 1e4 if p < SIGNIFICANT <= rounded else rounded
