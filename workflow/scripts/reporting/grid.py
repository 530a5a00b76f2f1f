"""The grid of the first screen: a cell per loss and normalization, with the images that its variants get wrong."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from common.english import amount
from common.errors import some
from reporting import intervals
from reporting.summary import Row

LEVELS = 6  # of colour, from no wrong image to as many as always guessing the larger class gets wrong
STRIPS = 4  # values of a strip that fit above it


@dataclass(frozen=True)
class Chip:
    """A variant in a cell. label: what tells it from the others of its cell; text: its wrong images, NaN or ∞; kind:
    the finding in its way, '' where it has none; level: of colour; tip: the whole in words."""

    variant: str
    label: str
    text: str
    kind: str
    word: str
    level: int
    tip: str


@dataclass(frozen=True)
class Grid:
    """row_key, column_key: the settings that rows and columns stand for, None where one row or column is enough.

    strip_key, strips: of the settings within each cell, and its values, where every cell has them all; lines: (value,
    a list of chips per column).
    """

    row_key: str
    column_key: str | None
    columns: list[str]
    strip_key: str | None
    strips: list[str]
    lines: list[tuple[str, list[list[Chip]]]]


def grid(rows: list[Row], differing: list[str], guessing: int, shown: Callable, became: dict[str, str]) -> Grid | None:
    """None for a single variant.

    differing: settings, beside loss and normalization, that are not the same for all; guessing: the test images that
    always guessing the larger class gets wrong; shown: a setting as text; became: what the loss of each variant that
    diverged was then, NaN say.
    """
    keys = ("loss", "normalization", *differing)
    rows = sorted(rows, key=lambda row: [_rank(row.settings[key]) for key in keys])
    values = {row.variant: {key: shown(row.settings[key]) for key in keys} for row in rows}
    several = [key for key in keys if len(_distinct(values, key)) > 1]
    if len(rows) < 2 or not several:
        return None
    row_key, column_key, inside = several[0], next(iter(several[1:]), None), several[2:]
    strips = _distinct(values, inside[0]) if len(inside) == 1 else []
    columns = _distinct(values, column_key) if column_key else [""]
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        of = values[row.variant]
        cells.setdefault((of[row_key], of[column_key] if column_key else ""), []).append(row)
    full = len(strips) <= STRIPS and all(
        [values[row.variant][key] for row in cell] == strips for cell in cells.values() for key in inside[:1]
    )
    usual = {key: Counter(of[key] for of in values.values()).most_common(1)[0][0] for key in inside}

    def chip(row: Row) -> Chip:
        of = values[row.variant]
        label = ", ".join(f"{key} {of[key]}" for key in inside if of[key] != usual[key] or len(inside) > 1)
        return _chip(row, "" if full and strips else label, guessing, became.get(row.variant, ""))

    return Grid(
        row_key=row_key,
        column_key=column_key,
        columns=columns,
        strip_key=inside[0] if full and strips else None,
        strips=strips if full else [],
        lines=[
            (line, [[chip(row) for row in cells.get((line, column), [])] for column in columns])
            for line in _distinct(values, row_key)
        ],
    )


def choices(rows: list[Row], differing: list[str], shown: Callable) -> dict[str, list[str]]:
    """{setting: values} of those that only the label of a chip tells, where a cell varies in more than one."""
    keys = [key for key in ("loss", "normalization", *differing) if len({str(row.settings[key]) for row in rows}) > 1]
    if len(keys) < 4:
        return {}
    return {
        key: list(dict.fromkeys(shown(value) for value in sorted((row.settings[key] for row in rows), key=_rank)))
        for key in keys[2:]
    }


def _distinct(values: dict, key: str) -> list[str]:
    return list(dict.fromkeys(of[key] for of in values.values()))


def _rank(value) -> tuple:
    """Numbers by size, before text."""
    return (0, value, "") if isinstance(value, int | float) else (1, 0, str(value))


def _chip(row: Row, label: str, guessing: int, became: str) -> Chip:
    found = intervals.of_test(row)
    gone = f"{became} @{min(row.diverged_epochs)}" if row.diverged_epochs else ""
    if row.diverged_epochs:
        word = "diverged"
    else:
        word = next((name for name in ("fails", "faulty") if row.verdicts[name]), "good")
    if found is None and not gone:
        text, tip = "ŷ NaN", f"{row.variant}: ŷ is NaN for a test image"
    elif found is None:
        text = gone
        tip = f"{row.variant}: diverged at epoch {some(list(map(str, row.diverged_epochs)))}"
    else:
        text = amount(found.mean)
        tip = (
            f"{row.variant}: {amount(found.mean)} of {row.test_n:,} test images wrong,"
            f" {'mean ± sd over seeds' if found.sd is not None else '95 % interval'} {intervals.spread(found)}"
        )
    kinds = [kind for kind in row.alarms if kind != "diverged" or found is not None]
    if row.alarms:
        count = len(row.diverged_epochs) if word == "diverged" else row.verdicts[word]
        tip += f"; {some(row.alarms)}{f' ({word} in {count} of {row.seeds} seeds)' if row.seeds > 1 else ''}"
    kind = gone if found and gone else kinds[0] if kinds and word in ("fails", "diverged") else ""
    return Chip(row.variant, label, text, kind, word, level(found.mean, guessing) if found else LEVELS, tip)


def level(wrong: float, guessing: int) -> int:
    """0 to LEVELS, on a logarithmic scale."""
    share = math.log1p(wrong) / math.log1p(max(guessing, 1))
    return min(LEVELS, math.ceil(share * LEVELS))
