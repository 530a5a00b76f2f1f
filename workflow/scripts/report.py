"""Gather what every variant left behind: summary.csv, a row per variant and seed, and report.html, one page."""

import json
import math
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from common.errors import logged
from common.files import read_json, write
from reporting import charts, pictures, provenance, summary, verdict

PAIRS = 60  # rows of the pairs' table; pairs.json has all
SURVIVORS = 40  # rows of the table of all losses at the weights that broke; same_weights.csv has all


def setting(value) -> str:
    """A setting as the page shows it: 64 × 32, SGD(momentum=0.9)."""
    match value:
        case [str(name), [*arguments]]:
            inside = ", ".join(f"{key}={argument}" for key, argument in arguments)
            return f"{name}({inside})" if inside else name
        case []:
            return "none"
        case list():
            return ", ".join(map(str, value))
    return str(value)


def prose(text: str) -> Markup:
    """A generated sentence, its `expressions` as code."""
    pieces = str(text).split("`")
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(pieces))


def number(value, digits: int = 3) -> str:
    """A short number; NaN and the infinities by their signs, what does not apply as a dash."""
    if value is None:
        return "–"
    value = float(value) + 0.0  # no −0
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")


def render(folder: Path, **content) -> str:
    """The page: Jinja2 templates, everything escaped unless a template says otherwise."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"setting": setting, "number": number, "prose": prose, "count": "{:,}".format}
    return environment.get_template("report.html.j2").render(**content)


def corner_table(path: Path) -> list[dict]:
    """Per loss: whether it is safe everywhere, and its rows of corners.csv."""
    rows = pd.read_csv(path, keep_default_na=False, na_values=["nan"], dtype={"loss": str}).to_dict("records")
    losses: dict[str, list] = {}
    for row in rows:
        losses.setdefault(row["loss"], []).append(row | {"safe": str(row["safe"]).lower() == "true"})
    return [{"loss": name, "safe": all(row["safe"] for row in rows), "rows": rows} for name, rows in losses.items()]


def survival_steps(path: Path) -> list[dict]:
    """The epochs at which the number of finite seeds changes, and the first and last: v, e, f, n."""
    table = pd.read_csv(path, dtype={"variant": str})
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


def card(name: str, folder: Path, metrics: dict, wrong: dict, y: dict, digits: pictures.Pictures) -> dict:
    """What the card of one variant shows, from its folder."""
    with np.load(folder / "predictions.npz") as yhat:
        mistakes = pictures.wrong_digits(digits, metrics, wrong[name], yhat, y)
    autopsies = [one for one in metrics["seeds"] if one["autopsy"]]
    first = min(autopsies, key=lambda one: one["autopsy"]["epoch"], default=None)
    image = first and first["autopsy"]["image"]
    return {
        "plot": pictures.data_uri((folder / "yhat.png").read_bytes()),
        "mistakes": mistakes,
        "diverged": first,
        "picture": digits.uri("train", image["index"]) if image else None,
        "files": ["yhat.png", "metrics.json", "history.csv", "predictions.npz", "model.pt"],
    }


def main(inputs: dict, experiment: dict, config_file: str | None, home: Path, output: dict) -> None:
    metrics = [read_json(path) for path in inputs["metrics"]]
    variants = {entry["variant"]: experiment["variants"][entry["variant"]] for entry in metrics}
    folders = {name: Path(path).parent for name, path in zip(variants, inputs["metrics"], strict=True)}
    histories = {name: pd.read_csv(folder / "history.csv") for name, folder in folders.items()}
    write(output["summary"], summary.summarize(metrics, variants).to_csv(index=False))

    counts = metrics[0]["counts"]
    y = {part: np.repeat([0, 1], counts[part]) for part in ("train", "test")}
    wrong = read_json(inputs["wrong"])
    digits = pictures.Pictures(Path(inputs["pictures"]))
    rows = summary.over_seeds(metrics, variants)
    many_seeds = any(row["seeds"] > 1 for row in rows)
    same_weights = pd.read_csv(inputs["same_weights"], dtype={"variant": str, "loss": str})
    pairs = read_json(inputs["pairs"])
    pairs.sort(key=lambda pair: min((one["test"].get("p_value", 0) for one in pair["seeds"]), default=1))
    results = Path(output["page"]).parent
    jobs = {rule: [""] for rule in ("download", "extract", "vega", "diagnose")}
    jobs["normalize"] = sorted({one["normalization"] for one in variants.values()})
    jobs |= {"train": list(variants), "plot": list(variants)}
    page = render(
        home / "workflow" / "report",
        style=(home / "workflow/report/report.css").read_text(encoding="utf-8"),
        script=(home / "workflow/report/report.js").read_text(encoding="utf-8"),
        vega=Path(inputs["vega"]).read_text(encoding="utf-8"),
        chart_data={"curves": charts.curves(histories), "ends": charts.ends(metrics)}
        | {"survival": survival_steps(inputs["survival"]) if many_seeds else []},
        charts=charts.specifications(list(variants), many_seeds),
        looks=charts.looks(list(variants)),
        limit=charts.ONE_LOGIT,
        source=read_json(inputs["source"]),
        classes=experiment["data"]["classes"],
        counts=counts,
        rows=rows,
        many_seeds=many_seeds,
        differing=[key for key in summary.differing(variants) if key not in ("loss", "normalization")],
        best=verdict.best(rows, metrics, wrong),
        diverged=verdict.diverged(metrics),
        close=verdict.close(rows),
        named=verdict.NAMED,
        cards={
            name: card(name, folders[name], entry, wrong, y, digits)
            for name, entry in zip(variants, metrics, strict=True)
        },
        corners=corner_table(inputs["corners"]),
        same_weights=[
            {"variant": variant, "seed": seed, "losses": dict(zip(found["loss"], found["value"], strict=True))}
            for (variant, seed), found in same_weights.groupby(["variant", "seed"])
        ][:SURVIVORS],
        pairs=pairs[:PAIRS],
        pair_count=len(pairs),
        suggestions=read_json(inputs["suggestions"]),
        hardest=pictures.hardest(digits, metrics, wrong, y),
        config_text=Path(config_file).read_text(encoding="utf-8") if config_file else None,
        effective=json.dumps(experiment, indent=2, ensure_ascii=False),
        commit=provenance.commit(home),
        machine=provenance.machine(),
        packages=provenance.packages(),
        rules=provenance.seconds_per_rule(results / "benchmarks", jobs),
    )
    write(output["page"], page)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            dict(snakemake.input.items()),
            json.loads(snakemake.params.experiment),
            snakemake.params.config_file,
            Path(charts.__file__).parents[3],
            dict(snakemake.output.items()),
        )
