# From every variant's files to results/summary.csv and results/report.html.


rule report:
    """One table of all variants and seeds, and one page that shows them."""
    input:
        source="results/data/source.json",
        metrics=expand("results/variants/{variant}/metrics.json", variant=EXPERIMENT.variants),
        histories=expand("results/variants/{variant}/history.csv", variant=EXPERIMENT.variants),
        diagnosis=rules.diagnose.output,
        plots=expand("results/variants/{variant}/yhat.png", variant=EXPERIMENT.variants),
        modules=shared_modules("errors", "files"),
        template=own_file("report/report.html.j2"),
        style=own_file("report/report.css"),
    output:
        summary=report("results/summary.csv", caption="../report/summary.rst", category="Comparison"),
        page=report("results/report.html", caption="../report/page.rst", category="Comparison"),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/mnist01.yaml"
    params:
        # Text, so that Snakemake compares the effective config whatever the order of its keys.
        experiment=json.dumps(
            {"data": EXPERIMENT.data, "variants": EXPERIMENT.variants}, sort_keys=True, ensure_ascii=False
        ),
    script:
        "../scripts/report.py"
