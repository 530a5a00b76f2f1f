# From every variant's files and the diagnosis to results/summary.csv, results/report.html and results/config.yaml.


rule vega:
    """The JavaScript of the report's charts: 2 s, which no later report waits for."""
    output:
        vega="results/vega.js",
    log:
        "results/logs/vega.log",
    benchmark:
        "results/benchmarks/vega.tsv"
    localrule: True
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code("vega"),
        # Another version draws with other JavaScript.
        fixed("version", version("vl-convert-python")),
    script:
        "../scripts/vega.py"


rule report:
    """One table of all variants and seeds, one page that shows them, and the config that makes both again."""
    input:
        source="results/data/source.json",
        metrics=expand("results/variants/{variant}/metrics.json", variant=EXPERIMENT.variants),
        histories=expand("results/variants/{variant}/history.csv", variant=EXPERIMENT.variants),
        predictions=expand("results/variants/{variant}/predictions.npz", variant=EXPERIMENT.variants),
        plots=expand("results/variants/{variant}/yhat.png", variant=EXPERIMENT.variants),
        losses="results/diagnosis/losses.json",
        same_weights="results/diagnosis/same_weights.csv",
        rewrites="results/diagnosis/rewrites.json",
        survival="results/diagnosis/survival.csv",
        pairs="results/diagnosis/pairs.json",
        significance="results/diagnosis/significance.json",
        wrong="results/diagnosis/wrong.json",
        kinds="results/diagnosis/kinds.json",
        pictures="results/diagnosis/pictures.npz",
        vega="results/vega.js",
        sums=["results/data/SHA256SUMS", "results/diagnosis/SHA256SUMS"],
        sums_of_variants=expand("results/variants/{variant}/SHA256SUMS", variant=EXPERIMENT.variants),
    output:
        summary=report("results/summary.csv", caption="../report/summary.rst", category="Comparison"),
        config="results/config.yaml",
        page=report("results/report.html", caption="../report/page.rst", category="Comparison"),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    localrule: True
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code("report", others="report"),
        *entries("data"),
        *entries("defaults"),
        *entries("diagnosis"),
        *entries("normalizations"),
        *entries("losses"),
        *entries("variants"),
        *entries("notes"),
        # What trains now, beside what trained each model.
        fixed("trains", digest(*TRAINING)),
        # Shown as it stands. Its path, not its text: a comment that changes in it runs nothing.
        fixed("config_file", CONFIG_FILE if IS_MAIN else None),
    script:
        "../scripts/report.py"
