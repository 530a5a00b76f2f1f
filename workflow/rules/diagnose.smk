# What is known of losses, of each variant, and of all variants side by side: results/losses/, metrics.json and
# results/comparison/.


rule chart:
    """A loss before any training: its sign chart, and its better form."""
    output:
        chart="results/losses/{loss}.json",
        sums="results/losses/{loss}.json.sha256",
    log:
        "results/logs/chart/{loss}.log",
    benchmark:
        "results/benchmarks/chart/{loss}.tsv"
    # Every diagnosis waits for one.
    priority: 3
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=15,
    params:
        code("chart"),
        lambda wildcards: param("definition", EXPERIMENT.losses[known(wildcards).loss]),
    script:
        "../scripts/chart.py"


rule diagnose:
    """What became of the models of one variant and why, and what cures the first that is not good."""
    input:
        unpack(lambda wildcards: {key: of_models(key)(wildcards) for key in MODEL_FILES}),
        normalized=lambda wildcards: (
            f"results/data/normalized/{EXPERIMENT.variants[wildcards.variant]['normalization']}.pt"
        ),
        digits="results/data/digits.pt",
        loss=lambda wildcards: f"results/losses/{EXPERIMENT.variants[wildcards.variant]['loss']}.json",
        loss_sums=lambda wildcards: f"results/losses/{EXPERIMENT.variants[wildcards.variant]['loss']}.json.sha256",
    output:
        metrics="results/variants/{variant}/metrics.json",
        sums="results/variants/{variant}/SHA256SUMS",
    log:
        "results/logs/diagnose/{variant}.log",
    benchmark:
        "results/benchmarks/diagnose/{variant}.tsv"
    # Before plots, which share the cores with what needs all diagnoses.
    priority: 1
    conda:
        "../envs/mnist01.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=minutes(trainings=1 + 4 * EXPERIMENT.diagnosis["trials"]),  # one may take four times the epochs
        gpu=lambda wildcards: gpus(wildcards) if EXPERIMENT.diagnosis["trials"] else 0,  # trials alone need one
    params:
        code("diagnose"),
        fixed("trials", EXPERIMENT.diagnosis["trials"]),
        # Their order: of inputs, Snakemake compares the set.
        setting("seeds"),
    script:
        "../scripts/diagnose.py"


rule compare:
    """All losses at the weights that broke, one-change pairs, survival, wrong images."""
    input:
        normalized=expand("results/data/normalized/{normalization}.pt", normalization=EXPERIMENT.normalizations),
        metrics=of_variants("metrics.json"),
        sums=of_variants("SHA256SUMS"),
        predictions=of_all_models("predictions"),
        broken=of_all_models("broken"),
    output:
        same_weights="results/comparison/same_weights.csv",
        survival="results/comparison/survival.csv",
        changes="results/comparison/changes.json",
        significance="results/comparison/significance.json",
        wrong="results/comparison/wrong.json",
        sums="results/comparison/SHA256SUMS",
    log:
        "results/logs/compare.log",
    benchmark:
        "results/benchmarks/compare.tsv"
    # Before plots, which share the cores with it.
    priority: 1
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        code("compare"),
        *entries("losses"),
        *entries("variants"),
    script:
        "../scripts/compare.py"
