"""Gather what every variant left behind: summary.csv, a row per variant and seed, and report.html, one page."""

import base64
import io
import json
import math
import platform
from importlib.metadata import version
from pathlib import Path

import jinja2
import matplotlib
import pandas as pd

from common.errors import logged
from common.files import read_json, write

matplotlib.use("Agg")
import matplotlib.pyplot as plt

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
PACKAGES = ("snakemake", "torch", "torchvision", "numpy", "pandas", "matplotlib", "pyyaml", "jinja2", "mlxtend")


def summarize(metrics: list[dict], variants: dict) -> pd.DataFrame:
    """The tidy table of COLUMNS, a row per variant and seed."""
    rows = [
        {"variant": entry["variant"], **{key: variants[entry["variant"]][key] for key in ("loss", "normalization")}}
        | outcome
        for entry in metrics
        for outcome in entry["seeds"]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def over_seeds(summary: pd.DataFrame) -> list[dict]:
    """A row per variant for the page's table: how many seeds survived, mean and standard deviation over those."""
    rows = []
    for _, seeds in summary.groupby("variant"):
        alive = seeds[seeds["status"] == "finished"]
        first = seeds.iloc[0]
        row = {key: first[key] for key in ("variant", "loss", "normalization", "n", "test_n", "epochs")}
        row |= {"seeds": len(seeds), "survived": len(alive), "seconds": seeds["seconds"].sum()}
        row |= {key: _mean_sd(alive[key]) for key in ("accuracy", "test_accuracy", "final_loss")}
        # A count is a fact about one model; over several there is only the mean share.
        row |= {key: alive[key].iloc[0] if len(alive) == 1 else None for key in ("correct", "test_correct")}
        row["diverged_epochs"] = seeds["diverged_epoch"].dropna().tolist()
        rows.append(row)
    return rows


def _mean_sd(values: pd.Series) -> dict | None:
    values = values.dropna()
    if values.empty:
        return None
    return {"mean": values.mean(), "sd": values.std() if len(values) > 1 else None}


def plot_losses(histories: dict[str, pd.DataFrame]) -> bytes:
    """An SVG of every seed's loss by epoch, logarithmic; a cross marks the last finite loss of a diverged one."""
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for place, (variant, history) in enumerate(histories.items()):
        color = plt.get_cmap("tab20" if len(histories) > 10 else "tab10")(place % 20)
        label = variant
        for _, seed in history.groupby("seed"):
            finite = seed[seed["loss"].map(math.isfinite) & (seed["loss"] > 0)]
            axes.plot(finite["epoch"], finite["loss"], color=color, linewidth=1.2, label=label)
            label = None
            if len(finite) < len(seed):
                last = finite.tail(1)
                axes.plot(last["epoch"], last["loss"], "x", color=color, markersize=9, markeredgewidth=2)
    axes.set(xlabel="epoch", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3)
    if len(histories) <= 20:
        axes.legend(fontsize="small", loc="upper right")
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    plt.close(figure)
    return content.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def render(template: Path, **content) -> str:
    """The page: a Jinja2 template, everything escaped unless the template says otherwise."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**content)


def main(metrics_files, history_files, plot_files, source_file, experiment: dict, template: Path, style: Path, output):
    metrics = [read_json(path) for path in metrics_files]
    names = [entry["variant"] for entry in metrics]
    summary = summarize(metrics, experiment["variants"])
    histories = {name: pd.read_csv(path) for name, path in zip(names, history_files, strict=True)}
    write(output["summary"], summary.to_csv(index=False))
    page = render(
        template,
        style=style.read_text(encoding="utf-8"),
        source=read_json(source_file),
        classes=experiment["data"]["classes"],
        counts=metrics[0]["counts"],
        rows=over_seeds(summary),
        losses=data_uri(plot_losses(histories), "image/svg+xml"),
        plots={
            name: data_uri(Path(path).read_bytes(), "image/png") for name, path in zip(names, plot_files, strict=True)
        },
        experiment=experiment,
        config=json.dumps(experiment, indent=2, ensure_ascii=False),
        versions={"Python": platform.python_version()} | {package: version(package) for package in PACKAGES},
    )
    write(output["page"], page)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.input.metrics,
            snakemake.input.histories,
            snakemake.input.plots,
            snakemake.input.source,
            json.loads(snakemake.params.experiment),
            Path(snakemake.input.template),
            Path(snakemake.input.style),
            dict(snakemake.output.items()),
        )
