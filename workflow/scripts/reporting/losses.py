"""The losses beside each other: in the corners that break them, and at the weights that broke one of them."""

import pandas as pd

SHOWN = 40  # rows of the table of all losses at the weights that broke; same_weights.csv has all


def corners(table: pd.DataFrame) -> list[dict]:
    """Per loss: its name, whether it is safe everywhere, and its rows of corners.csv."""
    return [
        {"loss": name, "safe": bool(rows["safe"].all()), "rows": rows.to_dict("records")}
        for name, rows in table.groupby("loss", sort=False)
    ]


def same_weights(table: pd.DataFrame) -> list[dict]:
    """From same_weights.csv, per diverged model: variant, seed, losses (the value of each, by name)."""
    models = [
        {"variant": variant, "seed": seed, "losses": dict(zip(rows["loss"], rows["value"], strict=True))}
        for (variant, seed), rows in table.groupby(["variant", "seed"])
    ]
    return models[:SHOWN]
