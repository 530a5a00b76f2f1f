"""The grid of the first screen: its rows, columns and strips, and what a cell says."""

from builders.records import diverged, metrics, outcome, settings
from reporting import grid, summary
from reporting.page import setting


def made(variants: dict, differing=(), became=None, **outcomes) -> grid.Grid | None:
    """Of variants, {name: settings}; outcomes: those that are not a plain good one."""
    found = metrics(**{name: outcomes.get(name, outcome()) for name in variants})
    rows = summary.over_seeds(found, variants)
    return grid.grid(rows, list(differing), 9, setting, became or {})


def heads(found: grid.Grid) -> list[list[tuple[str, int]]]:
    return [[(head.text, head.span) for head in line.heads] for line in found.lines]


def test_grid_has_a_cell_per_loss_and_normalization():
    variants = {"a1": settings("a", "1"), "a2": settings("a", "2"), "b1": settings("b", "1")}
    of = {"a1": outcome(test_correct=18), "a2": diverged(epoch=5)}
    found = made(variants, became={"a2": "∞"}, **of, b1=outcome(kind="frozen", verdict="fails", test_correct=9))
    assert (found.rows, found.columns, found.strips, found.rest) == ("loss", "normalization", "", [])
    assert [[(head.text, head.span) for head in level] for level in found.levels] == [[("1", 1), ("2", 1)]]
    assert heads(found) == [[("a", 1)], [("b", 1)]]
    assert [line.cells for line in found.lines] == [[["a1"], ["a2"]], [["b1"], []]]
    a1, a2, b1 = (found.chips[name] for name in variants)
    assert (a1.text, a1.mark, a2.text, a2.epoch, a2.mark, b1.text, b1.mark) == ("2", "", "∞", "@5", "", "11", "✕")
    assert (a2.level, b1.level, b1.word) == (grid.LEVELS, grid.LEVELS, "fails")
    assert made({"a1": settings()}) is None


def test_strips_are_of_the_setting_that_leaves_the_fewest_lines_and_fits():
    rates, widths = (0.1, 0.005, 10), ([], [64])
    variants = {
        f"{loss}{unit}{lr}{width}": settings(loss, unit, lr=lr, hidden=width)
        for loss in "ab"
        for unit in "12"
        for lr in rates
        for width in widths
    }
    found = made(variants, ["hidden", "lr"])
    assert (found.columns, found.strips, found.rest) == ("normalization", "lr", ["hidden"])
    of_unit = [("0.005", 1), ("0.1", 1), ("10", 1)]
    assert [[(head.text, head.span) for head in level] for level in found.levels] == [[("1", 3), ("2", 3)], 2 * of_unit]
    assert heads(found) == [[("a", 2), ("none", 1)], [("64", 1)], [("b", 2), ("none", 1)], [("64", 1)]]
    assert all(len(cell) == 1 for line in found.lines for cell in line.cells)
    # Eleven rates of two normalizations have no room beside each other.
    many = {f"{unit}{lr}": settings("a", unit, lr=lr) for unit in "12" for lr in range(1, 12)}
    many |= {f"b{name}": one | {"loss": "b"} for name, one in many.items()}
    wide = made(many, ["lr"])
    assert (wide.strips, wide.rest, len(wide.lines)) == ("", ["lr"], 22)


def test_grid_of_no_plain_product_names_what_differs_once_at_the_head_of_a_line():
    others = {"b": {"lr": 0.5}, "c": {"hidden": [8]}, "d": {"hidden": [8], "epochs": 5}, "e": {}}
    variants = {f"{loss}{name}": settings(loss, **of) for loss in "xy" for name, of in others.items()}
    variants |= {"x": settings("x", "raw")}
    found = made(variants, ["hidden", "epochs", "lr"])
    assert found.columns == "normalization"
    assert len({found.strips, *found.rest, "loss", "normalization"}) == 5
    labels = [line[-1][0] for line in heads(found)]
    assert "as usual" in labels
    assert found.usual == {"normalization": "unit", "hidden": "4", "epochs": "9", "lr": "0.1", "loss": "x"}
    assert sorted(name for line in found.lines for cell in line.cells for name in cell) == sorted(variants)


def test_variants_of_the_same_settings_share_a_cell():
    found = made({"a": settings("a"), "again": settings("a"), "b": settings("b")})
    assert [line.cells for line in found.lines] == [[["a", "again"]], [["b"]]]


def test_many_normalizations_of_few_losses_are_the_lines_of_the_grid():
    variants = {f"{loss}{place}": settings(loss, f"n{place:02}") for loss in "xy" for place in range(30)}
    found = made(variants)
    assert (found.rows, found.columns, len(found.lines)) == ("normalization", "loss", 30)


def test_numbers_and_widths_are_in_order_of_their_size_and_names_of_the_alphabet():
    values = [10, 0.5, 2]
    variants = {str(value): settings(lr=value) for value in values}
    assert made(variants, ["lr"]).values == {"lr": ["0.5", "2", "10"]}
    variants = {str(width): settings(hidden=width) for width in ([64], [128, 2], [9], [])}
    assert made(variants, ["hidden"]).values == {"hidden": ["none", "9", "64", "128, 2"]}
    assert made({name: settings(name) for name in "cab"}).values == {"loss": ["a", "b", "c"]}


def test_numbers_that_are_shown_alike_have_one_colour_and_more_is_never_paler():
    of = {"a": [outcome(test_correct=19)] * 2, "b": [outcome(test_correct=19)] * 2}
    found = made({"a": settings("a"), "b": settings("b")}, **of)
    assert found.chips["a"].level == found.chips["b"].level
    # Both are shown as 2.5, on either side of a colour's bound, 2.53.
    assert grid.level(2.52, 43) == grid.level(2.54, 43) == 2 < grid.level(2.6, 43)
    levels = [grid.level(wrong / 10, 980) for wrong in range(9800)]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0, grid.LEVELS)
    for one in range(1, grid.LEVELS):
        assert grid.level(int(grid.bound(one, 980)), 980) <= one < grid.level(int(grid.bound(one, 980)) + 1, 980)


def test_tooltip_of_a_cell_names_each_epoch_or_says_that_there_are_more():
    of = {"a1": [diverged(seed, epoch=seed) for seed in range(8)], "a2": [diverged(7, 9)] * 40}
    found = made({"a1": settings("a"), "a2": settings("b")}, **of)
    assert found.chips["a1"].tip.startswith("a1: diverged at epoch 0, 1, 2, 3, 4, 5, 6, 7;")
    assert found.chips["a2"].tip.startswith("a2: diverged at epoch 9, ")
    assert ", 9, and 10 more;" in found.chips["a2"].tip


def test_model_whose_test_images_have_no_answer_is_not_called_diverged():
    blind = outcome(kind="test-pixels", test_correct=0, test_accuracy=None)
    chip = made({"a1": settings("a"), "a2": settings("b")}, a1=blind).chips["a1"]
    assert (chip.text, chip.tip) == ("ŷ NaN", "a1: ŷ is NaN for a test image; test-pixels")
