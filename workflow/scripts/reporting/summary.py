"""summary.csv, and the rows of the page's table."""

import math

import pandas as pd

COLUMNS = {
    "variant": "string",
    "seed": "UInt64",
    "loss": "string",
    "normalization": "string",
    "status": "string",
    "diverged_epoch": "Int64",
    "correct": "Int64",
    "n": "Int64",
    "accuracy": "Float64",
    "test_correct": "Int64",
    "test_n": "Int64",
    "test_accuracy": "Float64",
    "final_loss": "Float64",
    "max_logit": "Float64",
    "epochs": "Int64",
    "seconds": "Float64",
}


def summarize(metrics: list[dict], variants: dict) -> pd.DataFrame:
    """The tidy table of COLUMNS, a row per variant and seed."""
    rows = [
        {"variant": entry["variant"], **{key: variants[entry["variant"]][key] for key in ("loss", "normalization")}}
        | outcome
        for entry in metrics
        for outcome in entry["seeds"]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def over_seeds(metrics: list[dict], variants: dict) -> list[dict]:
    """A row per variant: how many seeds survived, and mean and standard deviation over those.

    `margin` is the smallest of all seeds, `forecast` the soonest.
    """
    rows = []
    for entry in metrics:
        seeds = entry["seeds"]
        alive = [one for one in seeds if one["status"] == "finished"]
        forecasts = [one["forecast"] for one in alive if one["forecast"] and one["forecast"]["epoch"] is not None]
        row = {"variant": entry["variant"], "n": seeds[0]["n"], "test_n": seeds[0]["test_n"]}
        row |= {"seeds": len(seeds), "survived": len(alive), "seconds": sum(one["seconds"] for one in seeds)}
        row |= {key: _mean_sd([one[key] for one in alive]) for key in ("accuracy", "test_accuracy", "final_loss")}
        # A count is a fact about one model; over several there is only the mean share.
        row |= {key: alive[0][key] if len(alive) == 1 else None for key in ("correct", "test_correct")}
        row["diverged_epochs"] = [one["diverged_epoch"] for one in seeds if one["status"] == "diverged"]
        row["margin"] = min((one["margin"] for one in seeds if one["margin"] is not None), default=None)
        row["forecast"] = min(forecasts, key=lambda one: one["epoch"], default=None)
        row["settings"] = variants[entry["variant"]]
        rows.append(row)
    return rows


def differing(variants: dict) -> list[str]:
    """The settings, beside loss and normalization, that are not the same for all variants; in config.yaml's order."""
    settings = list(variants.values())
    keys = [key for key in settings[0] if key not in ("loss", "normalization") and not key.endswith("_definition")]
    return [key for key in keys if any(one[key] != settings[0][key] for one in settings)]


def _mean_sd(values: list) -> dict | None:
    values = [value for value in values if value is not None]
    if not values:
        return None
    mean = sum(values) / len(values)
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1)) if len(values) > 1 else None
    return {"mean": mean, "sd": sd}
