# From every variant's files and the comparison to results/summary.csv, results/report.html and results/config.yaml.


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
        digits="results/data/digits.npz",
        losses=expand("results/losses/{loss}.json", loss=EXPERIMENT.losses),
        metrics=of_variants("metrics.json"),
        plots=of_variants("yhat.png"),
        histories=of_all_models("history"),
        predictions=of_all_models("predictions"),
        same_weights="results/comparison/same_weights.csv",
        changes="results/comparison/changes.json",
        significance="results/comparison/significance.json",
        wrong="results/comparison/wrong.json",
        vega="results/vega.js",
        sums=["results/data/SHA256SUMS", "results/comparison/SHA256SUMS"],
        sums_of_losses=expand("results/losses/{loss}.json.sha256", loss=EXPERIMENT.losses),
        sums_of_variants=of_variants("SHA256SUMS"),
        sums_of_models=of_all_models("sums"),
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
        # What this run began with: config.yaml is shown as it was then. A path, not the text: a comment runs nothing.
        fixed("begun", str(BEGUN_FILE) if IS_MAIN else None),
    script:
        "../scripts/report.py"
