# From every variant's files to results/diagnosis/: what only shows when they lie side by side.


rule diagnose:
    """Unsafe losses, all losses at the weights that broke, one-change pairs, survival, better losses."""
    input:
        digits="results/data/digits.pt",
        normalized=expand("results/data/normalized/{normalization}.pt", normalization=EXPERIMENT.normalizations),
        metrics=expand("results/variants/{variant}/metrics.json", variant=EXPERIMENT.variants),
        predictions=expand("results/variants/{variant}/predictions.npz", variant=EXPERIMENT.variants),
        broken=expand("results/variants/{variant}/broken.pt", variant=EXPERIMENT.variants),
        sums=expand("results/variants/{variant}/SHA256SUMS", variant=EXPERIMENT.variants),
    output:
        losses="results/diagnosis/losses.json",
        same_weights="results/diagnosis/same_weights.csv",
        rewrites="results/diagnosis/rewrites.json",
        survival="results/diagnosis/survival.csv",
        pairs="results/diagnosis/pairs.json",
        significance="results/diagnosis/significance.json",
        wrong="results/diagnosis/wrong.json",
        kinds="results/diagnosis/kinds.json",
        pictures="results/diagnosis/pictures.npz",
        sums="results/diagnosis/SHA256SUMS",
    log:
        "results/logs/diagnose.log",
    benchmark:
        "results/benchmarks/diagnose.tsv"
    # Before plots, which share the cores with it.
    priority: 1
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        code("diagnose"),
        *entries("defaults"),
        *entries("losses"),
        *entries("variants"),
    script:
        "../scripts/diagnose.py"
