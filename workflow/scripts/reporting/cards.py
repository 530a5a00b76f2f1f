"""What the card of one variant shows."""

from reporting.pictures import Pictures, data_uri, wrong_digits

FILES = ("yhat.png", "metrics.json", "history.csv", "predictions.npz", "model.pt")  # that a card links to


def card(entry: dict, wrong: dict, yhat: dict, plot: bytes, y: dict, digits: Pictures) -> dict:
    """plot (a data URI), mistakes, diverged (the seed whose loss broke first), picture (of its image), files.

    yhat: {part: float32 (seeds, n)}; plot: a PNG; y: {part: labels (n,)}.
    """
    autopsies = [one for one in entry["seeds"] if one["autopsy"]]
    first = min(autopsies, key=lambda one: one["autopsy"]["epoch"], default=None)
    image = first and first["autopsy"]["image"]
    return {
        "plot": data_uri(plot),
        "mistakes": wrong_digits(digits, entry, wrong, yhat, y),
        "diverged": first,
        "picture": digits.uri("train", image["index"]) if image else None,
        "files": FILES,
    }
