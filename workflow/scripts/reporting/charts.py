"""The page's interactive charts, as Vega-Lite specifications; their data travels in the page."""

import math

import altair as alt
import pandas as pd

from formulas.float32 import ONE_LOGIT

# Colours that the colour-blind tell apart (after M. Okabe and K. Ito, 2008), each at least 3:1 on white and on the
# dark page; then the same with another dash.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#c46a9b", "#b8860b", "#3a9bd9", "#7f7f7f")
DASHES = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3))
POINTS = 20_000  # of all curves together: more cannot be seen, and would only make the page heavy


def looks(variants: list[str]) -> dict[str, dict]:
    """{variant: color and dash}, the same wherever the page shows it."""
    return {
        name: {"color": COLORS[place % len(COLORS)], "dash": list(DASHES[place // len(COLORS) % len(DASHES)])}
        for place, name in enumerate(variants)
    }


def curves(histories: dict[str, pd.DataFrame]) -> list[dict]:
    """The rows that all curves share: v(ariant), s(eed), e(poch), l(oss), a(ccuracy), m (largest logit).

    Up to the last finite loss of each seed; thinned out evenly where there are very many.
    """
    total = sum(len(history) for history in histories.values())
    step = max(1, math.ceil(total / POINTS))
    parts = []
    for name, history in histories.items():
        finite = history[history["loss"].map(math.isfinite)]
        last = finite.groupby("seed")["epoch"].transform("max")
        kept = finite[(finite["epoch"] % step == 0) | (finite["epoch"] == last)]
        parts.append(kept.assign(v=name))
    rows = pd.concat(parts)[["v", "seed", "epoch", "loss", "accuracy", "max_logit"]]
    rows.columns = list("vselam")
    for column, digits in (("l", 5), ("a", 5), ("m", 5)):
        rows[column] = rows[column].map(lambda value, digits=digits: float(f"{value:.{digits}g}"))
    return rows.astype(object).where(rows.notna() & ~rows.isin([math.inf, -math.inf]), None).to_dict("records")


def ends(metrics: list[dict]) -> list[dict]:
    """The first non-finite epoch of each diverged seed: v, s, e."""
    return [
        {"v": entry["variant"], "s": one["seed"], "e": one["diverged_epoch"]}
        for entry in metrics
        for one in entry["seeds"]
        if one["status"] == "diverged"
    ]


def survival(table: pd.DataFrame) -> list[dict]:
    """From survival.csv, the epochs at which the number of finite seeds changes, and the first and last: v, e, f, n."""
    steps = []
    for name, rows in table.groupby("variant"):
        changed = rows["finite"].diff().fillna(1) != 0
        changed.iloc[-1] = True
        kept = rows[changed]
        steps += [
            {"v": name, "e": int(epoch), "f": int(finite), "n": int(seeds)}
            for epoch, finite, seeds in zip(kept["epoch"], kept["finite"], kept["seeds"], strict=True)
        ]
    return steps


def specifications(variants: list[str], seeds: bool) -> dict[str, dict]:
    """{loss, accuracy, logit: Vega-Lite}. Each has a parameter `hidden`, the names of variants not to draw.

    Their data, `curves` and `ends`, are named only: the page holds them once for all three.
    """
    look = looks(variants)
    color = alt.Color("v:N", legend=None).scale(domain=variants, range=[look[name]["color"] for name in variants])
    dash = alt.StrokeDash("v:N", legend=None).scale(domain=variants, range=[look[name]["dash"] for name in variants])
    epoch = alt.X("e:Q", title="epoch").axis(format="d", tickMinStep=1).scale(nice=False)
    charts = {
        "loss": alt.Y("l:Q", title="loss").scale(type="log").axis(tickCount=6),
        "accuracy": alt.Y("a:Q", title="training accuracy").scale(zero=False),
        "logit": alt.Y("m:Q", title="largest logit").scale(type="symlog", constant=10),
    }
    return {
        name: _chart(y, epoch, color, dash, seeds, limit=name == "logit").to_dict(validate=True)
        for name, y in charts.items()
    }


def drawn(
    variants: list[str], metrics: list[dict], histories: list[pd.DataFrame], steps: pd.DataFrame, many_seeds: bool
) -> dict:
    """What report.js draws: data, rows by the names that specifications use; charts, a specification per place.

    histories: the history.csv of each variant; steps: survival.csv.
    """
    data = {"curves": curves(dict(zip(variants, histories, strict=True))), "ends": ends(metrics)}
    data["survival"] = survival(steps) if many_seeds else []
    return {"data": data, "charts": specifications(variants, many_seeds)}


def _chart(y, epoch, color, dash, seeds: bool, limit: bool):
    hidden = alt.param("hidden", value=[])
    field = y.shorthand.split(":")[0]
    rows = alt.Chart(alt.NamedData("curves")).transform_filter("indexof(hidden, datum.v) < 0")
    if field == "l":
        rows = rows.transform_filter("datum.l > 0")
    tooltip = [alt.Tooltip("v:N", title="variant"), *([alt.Tooltip("s:N", title="seed")] if seeds else [])]
    values = [
        alt.Tooltip("e:Q", title="epoch"),
        alt.Tooltip("l:Q", title="loss", format=".4~g"),
        alt.Tooltip("a:Q", title="training accuracy", format=".4f"),
        alt.Tooltip("m:Q", title="largest logit", format=".4~g"),
    ]
    nearest = alt.selection_point(nearest=True, on="pointerover", fields=["v", "s", "e"], empty=False)
    line = rows.mark_line(strokeWidth=1.6, clip=True).encode(x=epoch, y=y, color=color, strokeDash=dash, detail="s:N")
    dots = (
        rows.mark_point(filled=True, size=60)
        .encode(x=epoch, y=y, color=color, tooltip=tooltip + values)
        .encode(opacity=alt.condition(nearest, alt.value(1), alt.value(0)))
        .add_params(nearest)
    )
    crosses = (
        alt.Chart(alt.NamedData("ends"))
        .transform_filter("indexof(hidden, datum.v) < 0")
        .mark_point(shape="cross", angle=45, filled=True, size=110)
        .encode(x=epoch, y=alt.value(8), color=color)
        .encode(tooltip=[*tooltip, alt.Tooltip("e:Q", title="first non-finite loss, epoch")])
    )
    layers = [line, crosses, dots]
    if limit:
        layers.append(alt.Chart(alt.Data(values=[{"y": ONE_LOGIT}])).mark_rule(strokeDash=[4, 4]).encode(y="y:Q"))
        text = "float32: ŷ is exactly 1"
        label = alt.Chart(alt.Data(values=[{"y": ONE_LOGIT, "text": text}]))
        layers.append(
            label.mark_text(align="left", baseline="bottom", dx=4, dy=-3).encode(x=alt.value(0), y="y:Q", text="text:N")
        )
    return alt.layer(*layers).add_params(hidden).properties(width="container", height=280, autosize="fit-x")
