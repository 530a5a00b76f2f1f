"""Gather what every variant left behind: summary.csv, a table; report.html, a page; config.yaml, which makes both."""

import io
import struct
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from common.archives import read_arrays
from common.english import counted
from common.errors import logged
from common.files import damaged, read_bytes, read_sealed, read_text, write
from common.params import read_params
from comparing.images import first_finished
from experiment import recorded
from experiment.begun import read_begun
from experiment.effective import effective
from findings.catalogue import explanations
from records.comparison import Change, Significance
from records.losses import LossChart, LossFile
from records.metrics import Metrics, Outcome, read_metrics
from records.strict import read_record
from records.training import as_named
from reporting import (
    answer,
    best,
    broke,
    cards,
    charts,
    cures,
    grid,
    losses,
    page,
    pairs,
    pictures,
    provenance,
    summary,
    table,
)
from training.history import Row

# Of the files that are JSON.
KINDS = {
    "source": dict[str, Any],
    "wrong": dict[str, dict[str, dict[str, list[int]]]],
    "changes": list[Change],
    "significance": Significance,
}


def read_table(path: str | Path) -> pd.DataFrame:
    """A table of the comparison. Its names are text, whatever they look like: a variant may be called 1, a loss nan."""
    names = {"variant": str, "loss": str}
    not_finite = {number: ["nan"] for number in ("value", "gradient", "gradient_norm")}
    return _parsed(path, dtype=names, keep_default_na=False, na_values=not_finite)


def read_histories(paths: list[str | Path], metrics: Metrics) -> pd.DataFrame:
    """The history.csv of each model of a variant: seed, epoch, the fields of Row. Raises UserError where one holds
    something else."""
    return pd.concat([_history(path, model) for path, model in zip(paths, metrics.seeds, strict=True)])


def _history(path: str | Path, model: Outcome) -> pd.DataFrame:
    table, columns = _parsed(path), ["epoch", *Row._fields]
    if list(table.columns) != columns or list(table.epoch) != list(range(model.epochs)):
        raise damaged(path, f"found {_shape(table)}, expected {','.join(columns)} of {counted(model.epochs, 'epoch')}")
    table.insert(0, "seed", model.seed)
    return table


def read_same_weights(path: str | Path, metrics: list[Metrics], losses: list[str]) -> pd.DataFrame:
    """same_weights.csv: a row per diverged seed and loss. Raises UserError where it holds something else."""
    table, columns = read_table(path), ["variant", "seed", "loss", "value", "gradient_norm"]
    diverged = [(entry.variant, model.seed) for entry in metrics for model in entry.seeds if model.status == "diverged"]
    expected = [(*of, loss) for of in diverged for loss in losses]
    if list(table.columns) != columns or list(zip(table.variant, table.seed, table.loss, strict=True)) != expected:
        raise damaged(
            path, f"found {_shape(table)}, expected {','.join(columns)} of {len(expected)} losses that diverged"
        )
    return table


def _shape(table: pd.DataFrame) -> str:
    return f"{counted(len(table), 'row')} of {counted(len(table.columns), 'column')}"


def _parsed(path: str | Path, **how) -> pd.DataFrame:
    try:
        return pd.read_csv(io.StringIO(read_text(path)), **how)
    except ValueError as error:  # pandas's EmptyDataError and ParserError are such
        raise damaged(path, f"not a table: {error}") from None


def read_picture(path: str | Path) -> bytes:
    """A PNG. Raises UserError where it is damaged."""
    content = read_bytes(path)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            image.verify()  # the checksum of each of its chunks, if all are there
        is_whole = content.endswith(b"IEND\xaeB`\x82")
    except (OSError, SyntaxError, ValueError, struct.error):
        is_whole = False
    if not is_whole:
        raise damaged(path, "not a whole PNG image")
    return content


def read_inputs(inputs: dict, losses: list[str], variants: dict) -> dict:
    """What the jobs before left, under the names of the rule's inputs; lists have an entry per variant.

    losses, variants: of config.yaml, in the order of the rule's inputs.
    """
    of_all = {name: read_record(inputs[name], kind) for name, kind in KINDS.items()}
    seeds = [settings["seeds"] for settings in variants.values()]
    metrics = [read_metrics(*of) for of in zip(inputs["metrics"], seeds, strict=True)]
    of_models = [iter(inputs[name]) for name in ("histories", "predictions")]
    histories, predictions = ([list(islice(paths, len(of.seeds))) for of in metrics] for paths in of_models)
    return of_all | {
        "metrics": metrics,
        "losses": {name: read_record(path, LossFile) for name, path in zip(losses, inputs["losses"], strict=True)},
        "same_weights": read_same_weights(inputs["same_weights"], metrics, losses),
        "histories": [read_histories(paths, of) for paths, of in zip(histories, metrics, strict=True)],
        "predictions": [first_predictions(paths, of) for paths, of in zip(predictions, metrics, strict=True)],
        "plots": [read_picture(path) for path in inputs["plots"]],
        "pictures": pictures.Pictures(inputs["digits"]),
        "vega": read_sealed(inputs["vega"]),
    }


def first_predictions(paths: list[str | Path], metrics: Metrics) -> dict:
    """ŷ of the model whose wrong images the page shows; nothing where all diverged."""
    place = first_finished(metrics)
    return {} if place is None else read_arrays(paths[place])


def compare(inputs: dict, variants: dict, trials: int, defaults: dict) -> dict:
    """What the page's sections share, and under the name of each what it shows.

    inputs: as `read_inputs` gives it; variants: {name: settings}, in the same order; trials: how many changes may be
    tried; defaults: what a variant has that says nothing else.
    """
    metrics, wrong = inputs["metrics"], inputs["wrong"]
    rows = summary.over_seeds(metrics, variants)
    differing = summary.differing(variants)
    guessed, right, of = answer.baseline(metrics[0].counts)
    many_seeds = any(row.seeds > 1 for row in rows)
    y = {part: np.repeat([0, 1], getattr(metrics[0].counts, part)) for part in ("train", "test")}
    ranking = inputs["significance"].ranking
    digits = inputs["pictures"]
    became = {
        entry.variant: page.short_number(summary.broken_loss(entry, history))
        for entry, history in zip(metrics, inputs["histories"], strict=True)
    }
    kinds = explanations()
    tried = {
        name: cures.on_card(entry, inputs["losses"].get(settings["loss"]), settings["loss"], trials, kinds, defaults)
        for entry, (name, settings) in zip(metrics, variants.items(), strict=True)
    }
    cells = grid.grid(rows, differing, of - right, page.setting, became)
    drawn = {
        entry.variant: broke.broke(entry, history, _chart(inputs["losses"], variants[entry.variant]))
        for entry, history in zip(metrics, inputs["histories"], strict=True)
    }
    causes = answer.causes(metrics, variants, kinds, inputs["losses"], trials, defaults)
    lines = table.table_lines(rows, ranking.winners if len(rows) > 1 else [], ranking.equals)
    at_broken_weights = losses.same_weights(inputs["same_weights"])
    of_each = zip(variants, metrics, inputs["predictions"], inputs["plots"], strict=True)
    return {
        "counts": metrics[0].counts,
        "rows": rows,
        "looks": charts.looks(variants),
        "digits": digits.shown,
        "kinds": kinds,
        "does": losses.DOES,
        "many_seeds": many_seeds,
        "answer": {
            "best": best.best(ranking, metrics, variants, kinds),
            "ranking": ranking,
            "tallies": answer.tallies(metrics),
            "baseline": (guessed, right, of),
            "causes": causes,
            "breaking": answer.breaking(causes, drawn),
            "open_causes": answer.OPEN_CAUSES,
            "grid": cells,
            "choices": grid.choices(cells) if cells else {},
        },
        "table": {
            "lines": lines,
            "swept": table.swept(rows, differing),
            "longest": table.NAME,
            "letters": table.letters(lines, table.swept(rows, differing), page.setting),
            "settings": list(as_named(rows[0].settings)),
            "facts": table.page_facts(rows, metrics, wrong, inputs["significance"], page.setting),
        },
        "curves": charts.drawn(variants, metrics, inputs["histories"]),
        "cards": {
            name: cards.card(entry, wrong[name], yhat, plot, y, digits, tried[name], became[name], drawn[name])
            for name, entry, yhat, plot in of_each
        },
        "diagnosis": {
            "losses": losses.strips(inputs["losses"], metrics, variants, inputs["histories"]),
            "same_weights": at_broken_weights[: losses.SAME_WEIGHTS_ROWS],
            "same_weights_count": len(at_broken_weights),
            "changes": pairs.clearest(inputs["changes"]),
            "change_count": len(inputs["changes"]),
            "unanswered": sum(map(pairs.says_nothing, inputs["changes"])),
            "named_pairs": pairs.NAMED_PAIRS,
            "hardest": pictures.hardest_digits(digits, metrics, wrong, y),
        },
    }


def _chart(losses: dict[str, LossFile], settings: dict) -> LossChart | None:
    found = losses.get(settings["loss"])
    return found and found.chart


def trace(variants: dict, losses: list[str], metrics: list[Metrics], results: Path) -> dict:
    """Where the results come from: the code, the machine, the packages, the seconds of each rule."""
    return {
        "commit": provenance.commit(page.HOME),
        "machine": provenance.machine(),
        "devices": provenance.accelerators(metrics),
        "packages": provenance.packages(),
        "rules": provenance.seconds_per_rule(results / "benchmarks", provenance.job_names(variants, losses)),
    }


def mixture(variants: dict, data: dict, trains: str, results: Path) -> dict | None:
    """What is to be said of models that are not of this config and code; trains: the digest of what trains now."""
    differing = recorded.trained_otherwise(variants, data, trains, results)
    return {"models": differing, "command": recorded.command(differing, variants, page.HOME)} if differing else None


def main(inputs: dict, experiment: dict, output: dict) -> None:
    """experiment: the fields of an Experiment; beside them `trains`, the digest of what trains now, and `begun`, the
    file with what this run began with, None where config.yaml is not to be shown."""
    read = read_inputs(inputs, list(experiment["losses"]), experiment["variants"])
    metrics = read["metrics"]
    variants = {entry.variant: experiment["variants"][entry.variant] for entry in metrics}
    write(output["summary"], summary.summarize(metrics, variants).to_csv(index=False))
    config = {
        "begun": read_begun(experiment["begun"]) if experiment["begun"] else None,
        "effective": provenance.as_yaml(effective(experiment)),
        "recipe": provenance.recipe(Path(output["config"]), page.HOME),
    }
    write(output["config"], config["effective"])
    html = page.render(
        classes=experiment["data"]["classes"],
        source=read["source"],
        vega=read["vega"],
        provenance=trace(variants, list(experiment["losses"]), metrics, Path(output["page"]).parent) | config,
        notes=experiment["notes"],
        mixture=mixture(variants, experiment["data"], experiment["trains"], Path(inputs["metrics"][0]).parents[2]),
        **compare(read, variants, experiment["diagnosis"]["trials"], experiment["defaults"]),
    )
    write(output["page"], html)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        main(dict(snakemake.input.items()), read_params(snakemake.params), dict(snakemake.output.items()))
        megabytes = Path(snakemake.output.page).stat().st_size / 1e6
        say(f"{snakemake.output.page}, {megabytes:.1f} MB")
