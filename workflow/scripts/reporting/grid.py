"""The grid of the first screen: a cell per variant, with the test images that it gets wrong; its rows, columns and
strips stand for settings.

The page arranges it anew by other settings (workflow/report/view/grid.js), in the same way as here.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from common.english import amount
from common.errors import some
from reporting import intervals
from reporting.summary import VariantRow

LEVELS = 6  # of colour, from no wrong image to as many as always guessing the larger class gets wrong
MOST_COLUMNS = 20  # that the page has room for
ROOMY = 4  # columns, at most, whose cells have room for words


@dataclass(frozen=True)
class Chip:
    """A variant in a cell. text: its wrong images, NaN or ∞; epoch: at which its loss was that, '' else; mark: the sign
    of its verdict, '' of a good one; level: of colour; tip: the whole in words."""

    variant: str
    text: str
    epoch: str
    mark: str
    word: str
    level: int
    tip: str


@dataclass(frozen=True)
class Head:
    """A value of a setting, at the head of so many rows or columns."""

    text: str
    span: int


@dataclass(frozen=True)
class GridLine:
    """heads: those that begin here, a value of the setting that rows stand for and what else the line is; cells: the
    variants of each column."""

    heads: list[Head]
    cells: list[list[str]]


@dataclass(frozen=True)
class Grid:
    """rows, columns, strips: the settings chosen for them, '' for none; columns and strips are nested, and so are rows
    and what is left over. rest: in what lines with the same head differ, in words.

    levels: the heads of the columns, from the outermost; chips: by their variants; values: of each setting, in order;
    places: of each variant, which of these it has; usual: the settings of more than half of the variants; bounds: the
    most wrong images of each level of colour; is_roomy: whether cells have room for words.
    """

    rows: str
    columns: str
    strips: str
    rest: list[str]
    levels: list[list[Head]]
    lines: list[GridLine]
    chips: dict[str, Chip]
    values: dict[str, list[str]]
    places: dict[str, list[int]]
    usual: dict[str, str]
    bounds: list[str]
    is_roomy: bool


def grid(
    rows: list[VariantRow], differing: list[str], guessing: int, shown: Callable, became: dict[str, str]
) -> Grid | None:
    """None where no setting differs.

    differing: settings, beside loss and normalization, that are not the same for all; guessing: the test images that
    always guessing the larger class gets wrong; shown: a setting as text; became: what the loss of each variant that
    diverged was then, NaN say.
    """
    keys = ("loss", "normalization", *differing)
    values = {key: _in_order([row.settings[key] for row in rows], shown) for key in keys}
    values = {key: texts for key, texts in values.items() if len(texts) > 1}
    if not values:
        return None
    places = {row.variant: [of.index(shown(row.settings[key])) for key, of in values.items()] for row in rows}
    chosen = _chosen(values, places)
    chips = {row.variant: _chip(row, guessing, became.get(row.variant, "")) for row in rows}
    usual = _usual(values, places)
    levels, lines, rest = _arranged(*chosen, values, places, usual)
    return Grid(
        *chosen,
        rest=rest,
        levels=levels,
        lines=lines,
        chips=chips,
        values=values,
        places=places,
        usual=usual,
        bounds=[amount(math.floor(bound(one, guessing))) for one in range(LEVELS)],
        is_roomy=len(lines[0].cells) <= ROOMY,
    )


def _in_order(values: list, shown: Callable) -> list[str]:
    """The different ones as text: numbers and widths by size, before names."""
    return list(dict.fromkeys(shown(value) for value in sorted(values, key=lambda one: (*_size(one), shown(one)))))


def _size(value) -> tuple:
    if isinstance(value, int | float):
        return 0, [value]
    is_widths = isinstance(value, list) and all(isinstance(item, int) for item in value)
    return (0, [len(value), *value]) if is_widths else (1, [])


def _chosen(values: dict[str, list[str]], places: dict[str, list[int]]) -> tuple[str, str, str]:
    """The settings for rows and columns: the first two. For strips the one that leaves the fewest lines."""
    keys = list(values)
    row, column, *others = [*keys, ""] if len(keys) == 1 else keys
    if column and len(values[column]) > MOST_COLUMNS >= len(values[row]):
        row, column = column, row
    fits = [key for key in others if _tuples([column, key], keys, places) <= MOST_COLUMNS]
    lines = {key: _tuples([row, *(other for other in others if other != key)], keys, places) for key in fits}
    return row, column, min(fits, key=lines.get, default="")


def _tuples(chosen: list[str], keys: list[str], places: dict[str, list[int]]) -> int:
    at = [keys.index(key) for key in chosen]
    return len({tuple(of[place] for place in at) for of in places.values()})


def _arranged(row: str, column: str, strip: str, values: dict, places: dict, usual: dict) -> tuple:
    """The heads of the columns, the lines, and in what lines with the same head differ."""
    keys = list(values)
    across = [keys.index(key) for key in (column, strip) if key]
    down = keys.index(row)
    over = [place for place, key in enumerate(keys) if place not in (*across, down)]
    columns = sorted({tuple(of[place] for place in across) for of in places.values()})
    lines = sorted({(of[down], *(of[place] for place in over)) for of in places.values()})
    cells = {(line, at): [] for line in lines for at in columns}
    for name, of in places.items():
        cells[(of[down], *(of[place] for place in over)), tuple(of[place] for place in across)].append(name)
    levels = [
        [
            Head(values[keys[across[depth]]][head[depth]], len(list(same)))
            for head, same in groupby(columns, key=lambda one: one[: depth + 1])
        ]
        for depth in range(len(across))
    ]
    found = []
    for _, group in groupby(lines, key=lambda line: line[0]):
        same = list(group)
        for line in same:
            heads = [Head(values[row][line[0]], len(same))] if line is same[0] else []
            if over:
                heads.append(Head(_label(line[1:], over, keys, values, usual), 1))
            found.append(GridLine(heads, [cells[line, at] for at in columns]))
    return levels, found, [keys[place] for place in over]


def _label(line: tuple, over: list[int], keys: list[str], values: dict, usual: dict) -> str:
    """What else the variants of a line have: of a single setting the value, of several those that are not usual."""
    named = [(keys[place], values[keys[place]][at]) for place, at in zip(over, line, strict=True)]
    if len(named) == 1:
        return named[0][1]
    return ", ".join(f"{key} {value}" for key, value in named if value != usual.get(key)) or "as usual"


def _usual(values: dict[str, list[str]], places: dict[str, list[int]]) -> dict[str, str]:
    """The value of each setting that more than half of the variants have."""
    usual = {}
    for at, (key, texts) in enumerate(values.items()):
        ((most, count),) = Counter(of[at] for of in places.values()).most_common(1)
        if 2 * count > len(places):
            usual[key] = texts[most]
    return usual


def choices(of: Grid) -> dict[str, list[str]]:
    """{setting: values} of those beside the first two, where there are many: the filter offers them."""
    return dict(list(of.values.items())[2:]) if len(of.values) >= 4 else {}


VERDICT_SIGNS = {"good": "", "faulty": "!", "fails": "✕", "diverged": "✕"}


def _chip(row: VariantRow, guessing: int, became: str) -> Chip:
    found = intervals.of_test(row)
    epoch = ""
    if found is None and not row.diverged_epochs:
        text, tip = "ŷ NaN", f"{row.variant}: ŷ is NaN for a test image"
    elif found is None:
        text, epoch = became, f"@{min(row.diverged_epochs)}"
        tip = f"{row.variant}: diverged at epoch {some(list(map(str, row.diverged_epochs)))}"
    else:
        text = amount(found.mean)
        over = f" on average over {found.seeds} seeds" if found.seeds > 1 else ""
        tip = (
            f"{row.variant}: {amount(found.mean)} of {row.test_n:,} test images wrong{over} ({intervals.spread(found)})"
        )
    if row.alarms:
        tip += f"; {some(row.alarms)}{f' ({row.state})' if row.seeds > 1 else ''}"
    return Chip(
        row.variant,
        text,
        epoch,
        VERDICT_SIGNS[row.word] if found else "",
        row.word,
        LEVELS if found is None else level(found.mean, guessing),
        tip,
    )


def level(wrong: float, guessing: int) -> int:
    """0 to LEVELS, on a logarithmic scale; of a count as it is shown, so that equal numbers have one colour."""
    share = math.log1p(round(wrong, 1)) / math.log1p(max(guessing, 1))
    return min(LEVELS, math.ceil(share * LEVELS - 1e-9))


def bound(of_level: int, guessing: int) -> float:
    """The most wrong images of a level, but for the last, which has no bound."""
    return math.expm1(of_level / LEVELS * math.log1p(max(guessing, 1)))
