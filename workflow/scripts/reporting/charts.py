"""The page's interactive charts: Vega-Lite specifications, and the data that workflow/report/charts/ fills in."""

import math
from collections import defaultdict

import altair as alt
import numpy as np
import pandas as pd

from formulas.float32 import ONE_LOGIT
from records.metrics import Metrics
from reporting.page import setting
from reporting.summary import differing

# Colours that the colour-blind tell apart (after M. Okabe and K. Ito, 2008), each at least 3:1 on white and on the
# dark page; then the same with another dash.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#c46a9b", "#b8860b", "#3a9bd9", "#7f7f7f")
DASHES = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3))
LOOKS = [{"color": color, "dash": list(dash)} for dash in DASHES for color in COLORS]
PLAIN = {"color": "#7f7f7f", "dash": [1, 0]}  # where there are no looks left
DOZEN = 12  # so many variants have the colours of a setting's values, unless the page is asked for their own
POINTS = 8_000  # of all lines together, and of one line: more cannot be seen, and would only make the page slow
POINTS_OF_LINE = 200

MEASURES = {
    "wrong": "wrong training images",
    "test": "wrong test images",
    "loss": "training loss",
    "logit": "largest logit",
}


def keys(variants: dict) -> dict[str, dict[str, str]]:
    """{setting: {variant: its value as text}} of those with at least two values; {variant: settings} goes in."""
    several = [
        key for key in ("loss", "normalization") if len({of_variant[key] for of_variant in variants.values()}) > 1
    ]
    return {
        key: {name: setting(one[key]) for name, one in variants.items()} for key in several + list(differing(variants))
    }


def first_key(variants: dict) -> str | None:
    """The setting by which many variants are coloured: the first with a color for each value, or else that with the
    fewest values; none where the variants do not differ."""
    counts = {key: len(set(values.values())) for key, values in keys(variants).items()}
    few = [key for key, count in counts.items() if count <= len(COLORS)]
    return few[0] if few else min(counts, key=counts.get, default=None)


def looks(variants: dict) -> dict[str, dict]:
    """{variant: color and dash}, the same wherever the page shows it: its own, or of a dozen and more that of its value
    of the first key."""
    names = {name: name for name in variants}
    if len(variants) >= DOZEN and (key := first_key(variants)):
        names = keys(variants)[key]
    places = {value: place for place, value in enumerate(dict.fromkeys(names.values()))}
    return {name: LOOKS[places[value]] if places[value] < len(LOOKS) else PLAIN for name, value in names.items()}


def effects(variants: dict, metrics: list[Metrics]) -> list[str]:
    """The settings whose effect shows: variants that are alike otherwise have at least two values of it, and one of
    them a model that did not diverge."""
    of_key = keys(variants)
    alive = {entry.variant for entry in metrics if any(model.test_wrong is not None for model in entry.seeds)}
    found = []
    for key in of_key:
        alike = defaultdict(list)
        for name in variants:
            alike[tuple(values[name] for other, values in of_key.items() if other != key)].append(name)
        if key != "seeds" and any(
            len({of_key[key][name] for name in group}) > 1 and alive & {*group} for group in alike.values()
        ):
            found.append(key)
    return found


def lines(metrics: list[Metrics], histories: list[pd.DataFrame]) -> list[dict]:
    """A line per variant: v(ariant), e(pochs), and by the names of MEASURES the median over the seeds that have not
    diverged before, or of several seeds [medians, smallest, largest]; None where nothing finite was measured."""
    most = max(30, min(POINTS_OF_LINE, POINTS // len(metrics)))
    found = []
    for entry, history in zip(metrics, histories, strict=True):
        measured = _measured(entry, history)
        several = history["seed"].nunique() > 1
        grouped = measured.groupby(level="epoch")
        bands = [grouped.median(), grouped.min(), grouped.max()] if several else [measured]
        kept = _thinned(bands[0], most)
        bands = [band.loc[kept] for band in bands]
        line = {"v": entry.variant, "e": [int(epoch) for epoch in kept]}
        for name in measured:
            columns = [[_short(value) for value in band[name]] for band in bands]
            line[name] = columns if several else columns[0]
        found.append(line)
    return found


def _measured(entry: Metrics, history: pd.DataFrame) -> pd.DataFrame:
    """MEASURES by epoch, of all seeds, NaN for what is not finite. The last row of a seed that diverged is that of the
    epoch whose loss is not finite: what broke it is often finite there."""
    ends = {model.seed: math.inf if model.diverged_epoch is None else model.diverged_epoch for model in entry.seeds}
    table = history[history["epoch"] <= history["seed"].map(ends)]
    n = sum(entry.counts.train)
    values = {"wrong": ((1 - table["accuracy"]) * n).round(), "loss": table["loss"], "logit": table["max_logit"]}
    if "test_wrong" in table:
        values["test"] = table["test_wrong"]
    return pd.DataFrame(values).replace([math.inf, -math.inf], math.nan).set_index(table["epoch"])


def _thinned(table: pd.DataFrame, most: int) -> list:
    """At most `most` epochs: the first ones closely, for there the most happens, the others evenly, and the last; with
    those of test counts where only some epochs have one."""
    epochs = table.index.to_numpy()
    if len(epochs) <= most:
        return list(epochs)
    third = most // 3
    places = {*np.geomspace(1, len(epochs), third).astype(int) - 1, *np.linspace(0, len(epochs) - 1, third).astype(int)}
    tested = np.flatnonzero(table["test"].notna()) if "test" in table else np.array([], int)
    if len(tested):
        places |= set(tested[np.linspace(0, len(tested) - 1, min(third, len(tested))).astype(int)])
    return list(epochs[sorted(places)])


def _short(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.5g}")


def crosses(metrics: list[Metrics], histories: list[pd.DataFrame]) -> list[dict]:
    """The first non-finite epoch of each diverged seed: v, s, e, and by the names of MEASURES the last finite value
    until then, where its line ends; None where there is none."""
    found = []
    for entry, history in zip(metrics, histories, strict=True):
        for model in entry.seeds:
            if model.status == "diverged":
                last = _measured(entry, history[history["seed"] == model.seed]).ffill().tail(1)
                ends = {name: _short(value) for name in last for value in last[name]}
                found.append({"v": entry.variant, "s": model.seed, "e": model.diverged_epoch} | ends)
    return found


def survival(metrics: list[Metrics]) -> list[dict]:
    """Of each variant that lost one of its several seeds, the epochs at which their number changes, and the last: v, e,
    survival (finite seeds)."""
    found = []
    for entry in metrics:
        ends = [model.diverged_epoch for model in entry.seeds if model.diverged_epoch is not None]
        last = entry.seeds[0].epochs - 1
        if len(entry.seeds) > 1 and any(end <= last for end in ends):
            epochs = sorted({0, last, *(end for end in ends if end <= last)})
            finite = [len(entry.seeds) - sum(end <= epoch for end in ends) for epoch in epochs]
            found.append({"v": entry.variant, "e": epochs, "survival": finite})
    return found


def runs(metrics: list[Metrics]) -> list[dict]:
    """Every model: v, s, w (wrong test images; None if it diverged)."""
    return [
        {
            "v": entry.variant,
            "s": model.seed,
            "w": model.test_wrong,
        }
        for entry in metrics
        for model in entry.seeds
    ]


def drawn(variants: dict, metrics: list[Metrics], histories: list[pd.DataFrame]) -> dict:
    """What the page draws: charts, a specification per place; lines, survival, crosses, runs; keys, by which to colour
    and compare, first_key, by which many are coloured, and effects, those that compare; looks, in their order.

    variants: {name: settings}; histories: of the models of each, see report.py.
    """
    data = {
        "variants": list(variants),
        "lines": lines(metrics, histories),
        "survival": survival(metrics),
        "crosses": crosses(metrics, histories),
        "runs": runs(metrics),
        "keys": keys(variants),
        "first_key": first_key(variants),
        "dozen": DOZEN,
        "effects": effects(variants, metrics),
        "limit": ONE_LOGIT,
        "looks": LOOKS,
        "plain": PLAIN,
    }
    has_test = any("test" in line for line in data["lines"])
    charts = {name: _curve(title, name == "logit") for name, title in MEASURES.items() if name != "test" or has_test}
    if data["survival"]:
        charts["survival"] = _curve("seeds with a finite loss", steps=True)
    if data["effects"]:
        charts["effect"] = _effect()
    return data | {"charts": {name: chart.to_dict(validate=True) for name, chart in charts.items()}}


def _named(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _beside(pixels: int) -> dict:
    """So far to the right of the plotting area."""
    return alt.value(alt.ExprRef(f"width + {pixels}"))


def _curve(title: str, limit: bool = False, steps: bool = False) -> alt.LayerChart:
    """A chart by epoch. The page fills in its rows, the limits of its axes, and in the first layer the scale of y."""
    axis = alt.Axis(values=alt.ExprRef("ticks(domain('y'), kind, bend, whole)"), labelExpr="tickText(datum.value)")
    axis.labelOverlap, axis.minExtent, axis.maxExtent = True, 52, 52  # the title at one place in all charts
    scale = alt.Scale(domain=alt.ExprRef("limits"), nice=False)
    x = alt.X("e:Q", title="epoch").scale(domain=alt.ExprRef("epochs"), nice=False, zero=False)
    x = x.axis(values=alt.ExprRef("ticks(domain('x'), 'linear', 1, true)"), labelExpr="tickText(datum.value)")
    y = alt.Y("y:Q", title=title).axis(axis)
    color, dash = alt.Color("c:N", scale=None), alt.StrokeDash("d:N", scale=None)
    thick, opaque = alt.StrokeWidth("w:Q", scale=None), alt.Opacity("o:Q", scale=None)
    interpolate = "step-after" if steps else "linear"
    near = _named("near").mark_line(clip=True, interpolate=interpolate).encode(x=x, y=y)
    at = alt.Y("at:Q", title=title).axis(axis)
    layers = [
        _named("lines")
        .mark_line(clip=True, interpolate=interpolate)
        .encode(x=x, y=alt.Y("y:Q", title=title).axis(axis).scale(scale), color=color, strokeDash=dash, detail="v:N")
        .encode(strokeWidth=thick, opacity=opaque),
        _named("bands")
        .mark_area(opacity=0.18, clip=True)
        .encode(x=x, y=alt.Y("low:Q", title=title).axis(axis), y2="high:Q", color=color, detail="v:N"),
        near.mark_line(clip=True, interpolate=interpolate, strokeWidth=7, stroke="var(--page)"),
        near.mark_line(clip=True, interpolate=interpolate, strokeWidth=3.5).encode(color=color, strokeDash=dash),
        _named("dot").mark_point(filled=True, size=80, opacity=1, clip=True).encode(x=x, y=y, color=color),
        _named("crosses")
        .mark_point(shape="cross", angle=45, filled=True, size=110, opacity=1, clip=True)
        .encode(x=x, y=y, color=color),
        _named("edges")
        .mark_point(filled=True, size=90, opacity=1, clip=True)
        .encode(x=x, y=y, color=color, shape=alt.Shape("shape:N", scale=None)),
        # Beside the plotting area: a leader, a piece of the line, its name.
        _named("names")
        .transform_filter("datum.led")
        .mark_rule(clip=False)
        .encode(x=_beside(1), x2=_beside(10), y=y, y2="at:Q"),
        _named("names")
        .mark_rule(strokeWidth=3, clip=False)
        .encode(x=_beside(12), x2=_beside(36), y=at, color=color, strokeDash=dash),
        _named("names")
        .mark_text(align="left", baseline="middle", color="var(--text)", clip=False)
        .encode(x=_beside(40), y=at, text="t:N"),
    ]
    if limit:
        layers.append(_named("limit").mark_rule(strokeDash=[4, 4], clip=True).encode(y=y))
        for halo in ({"stroke": "var(--page)", "strokeWidth": 5}, {}):
            text = _named("limit").mark_text(align="right", baseline="middle", clip=True, **halo)
            layers.append(text.encode(x=_beside(-4), y=at, text="text:N"))
    # Without a key the wheel scrolls the page, and a finger always does.
    drag = "[pointerdown[event.pointerType !== 'touch'], window:pointerup] > window:pointermove!"
    zoom = alt.selection_interval(name="zoom", bind="scales", on=drag, translate=drag, zoom="wheel![event.shiftKey]")
    values = {"kind": "linear", "bend": 1, "whole": False, "epochs": [0, 1], "limits": [1, 10]}
    params = [alt.param(name, value=value) for name, value in values.items()]
    return alt.layer(*layers).add_params(*params, zoom).properties(width=400, height=270, autosize="none")


def _effect() -> alt.FacetChart:
    """What one setting does: its values by the wrong test images of each model, a panel per value of another."""
    axis = alt.Axis(values=alt.ExprRef("ticks(limits, 'symlog', 1, true)"), labelExpr="tickText(datum.value)")
    axis.labelOverlap = True
    scale = alt.Scale(type="symlog", constant=1, domain=alt.ExprRef("limits"), nice=False)
    x = alt.X("x:N", sort=None, title=None).axis(labelAngle=-30, labelLimit=110)
    title = MEASURES["test"]
    y = alt.Y("w:Q", title=title).axis(axis).scale(scale)
    color, tip, aside = alt.Color("c:N", scale=None), alt.Tooltip("tip:N"), alt.XOffset("o:N", sort=None)
    rows = alt.Chart()
    alive = rows.transform_filter("isValid(datum.w)")
    layers = [
        alive.mark_line(strokeWidth=1.2, opacity=0.7).encode(
            x=x, y=alt.Y("median(w):Q", title=title).axis(axis), color=color, detail="g:N", xOffset=aside
        ),
        alive.mark_point(filled=True, size=45, opacity=0.7).encode(x=x, y=y, color=color, tooltip=tip, xOffset=aside),
        rows.transform_filter("!isValid(datum.w)")
        .mark_point(shape="cross", angle=45, filled=True, size=80, opacity=1)
        .encode(x=x, y=alt.value(6), color=color, tooltip=tip, xOffset=aside),
    ]
    return (
        alt.layer(*layers, data=alt.NamedData("runs"))
        .properties(width=160, height=180)
        .facet(alt.Facet("panel:N", sort=None, title=None), columns=4)
        .add_params(alt.param("limits", value=[0, 1]))
    )
