"""The grid of the first screen: a cell per loss and normalization, with the images that its variants get wrong."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from common.english import amount
from common.errors import some
from reporting import intervals
from reporting.summary import VariantRow

LEVELS = 6  # of colour, from no wrong image to as many as always guessing the larger class gets wrong
STRIPS = 4  # values of a strip that fit above it
MOST_COLUMNS = 12  # that fit beside each other, if rows can have the others
FEW = 12  # variants, whose cells have room for the kind of finding


@dataclass(frozen=True)
class Chip:
    """A variant in a cell. text: its wrong images, NaN or ∞; kind: the finding in its way, '' where it has none or
    there is no room; level: of colour; tip: the whole in words."""

    variant: str
    text: str
    kind: str
    word: str
    level: int
    tip: str


@dataclass(frozen=True)
class GridLine:
    """head: a value of the setting that rows stand for, '' where it is that of the line above; lines: how many it
    heads. label: what else the variants of this line differ in; cells: a list of chips per column."""

    head: str
    lines: int
    label: str
    cells: list[list[Chip]]


@dataclass(frozen=True)
class Grid:
    """row_key, column_key: the settings that rows and columns stand for, None where one row or column is enough.

    strip_key, strips: of the settings within each cell, and its values, where every cell has them all. usual: where
    lines have labels, what they do not name.
    """

    row_key: str
    column_key: str | None
    columns: list[str]
    strip_key: str | None
    strips: list[str]
    usual: str | None
    lines: list[GridLine]


def grid(
    rows: list[VariantRow], differing: list[str], guessing: int, shown: Callable, became: dict[str, str]
) -> Grid | None:
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
    if column_key and len(_distinct(values, column_key)) > MOST_COLUMNS >= len(_distinct(values, row_key)):
        row_key, column_key = column_key, row_key
    columns = _distinct(values, column_key) if column_key else [""]
    chips = {row.variant: _chip(row, guessing, became.get(row.variant, ""), len(rows) <= FEW) for row in rows}
    strips = _strips(values, inside, row_key, column_key)
    usual = _usual(values, inside)
    has_labels = bool(inside) and not strips
    lines: dict[tuple[str, str], list[list[Chip]]] = {}
    order = {head: place for place, head in enumerate(_distinct(values, row_key))}
    for row in sorted(rows, key=lambda row: order[values[row.variant][row_key]]):
        of = values[row.variant]
        label = ", ".join(f"{key} {of[key]}" for key in inside if of[key] != usual.get(key)) if has_labels else ""
        cells = lines.setdefault((of[row_key], label), [[] for _ in columns])
        cells[columns.index(of[column_key]) if column_key else 0].append(chips[row.variant])
    heads = Counter(head for head, _ in lines)
    return Grid(
        row_key=row_key,
        column_key=column_key,
        columns=columns,
        strip_key=inside[0] if strips else None,
        strips=strips,
        usual=", ".join(f"{key} {value}" for key, value in usual.items()) if has_labels else None,
        lines=[
            GridLine(head if is_first else "", heads[head] if is_first else 0, label, cells)
            for (head, label), cells, is_first in _with_first(lines)
        ],
    )


def _strips(values: dict, inside: list[str], row_key: str, column_key: str | None) -> list[str]:
    """The values of the one setting within the cells, if every cell that is not empty has them all, once."""
    if len(inside) != 1:
        return []
    strips = _distinct(values, inside[0])
    cells: dict[tuple, list[str]] = {}
    for of in values.values():
        cells.setdefault((of[row_key], of[column_key] if column_key else ""), []).append(of[inside[0]])
    return strips if len(strips) <= STRIPS and all(cell == strips for cell in cells.values()) else []


def _usual(values: dict, keys: list[str]) -> dict[str, str]:
    """The value of each of these settings that more than half of the variants have."""
    most = {key: Counter(of[key] for of in values.values()).most_common(1)[0] for key in keys}
    return {key: value for key, (value, count) in most.items() if 2 * count > len(values)}


def _with_first(lines: dict[tuple[str, str], list]):
    """Each line, and whether it is the first of its head."""
    before = None
    for (head, label), cells in lines.items():
        yield (head, label), cells, head != before
        before = head


def choices(rows: list[VariantRow], differing: list[str], shown: Callable) -> dict[str, list[str]]:
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


def _chip(row: VariantRow, guessing: int, became: str, has_room: bool) -> Chip:
    found = intervals.of_test(row)
    gone = f"{became} @{min(row.diverged_epochs)}" if row.diverged_epochs else ""
    if found is None and not gone:
        text, tip = "ŷ NaN", f"{row.variant}: ŷ is NaN for a test image"
    elif found is None:
        text = gone
        tip = f"{row.variant}: diverged at epoch {some(list(map(str, row.diverged_epochs)))}"
    else:
        text = amount(found.mean)
        over = f" on average over {found.seeds} seeds" if found.seeds > 1 else ""
        tip = (
            f"{row.variant}: {amount(found.mean)} of {row.test_n:,} test images wrong{over} ({intervals.spread(found)})"
        )
    kinds = [kind for kind in row.alarms if kind != "diverged" or found is not None]
    if row.alarms:
        tip += f"; {some(row.alarms)}{f' ({row.state})' if row.seeds > 1 else ''}"
    kind = gone if found and gone else kinds[0] if kinds and row.word in ("fails", "diverged") and has_room else ""
    return Chip(row.variant, text, kind, row.word, level(found.mean, guessing) if found else LEVELS, tip)


def level(wrong: float, guessing: int) -> int:
    """0 to LEVELS, on a logarithmic scale."""
    share = math.log1p(wrong) / math.log1p(max(guessing, 1))
    return min(LEVELS, math.ceil(share * LEVELS))
