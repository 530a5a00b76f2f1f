# From normalized tensors to results/variants/{variant}/: weights, history, predictions, metrics and the ŷ plot.


rule train:
    """A model per seed of one variant. A loss that is not finite is recorded, and the job succeeds."""
    input:
        normalized=lambda wildcards: (
            f"results/data/normalized/{EXPERIMENT.variants[known(wildcards).variant]['normalization']}.pt"
        ),
        digits="results/data/digits.pt",
    output:
        model="results/variants/{variant}/model.pt",
        broken="results/variants/{variant}/broken.pt",
        history="results/variants/{variant}/history.csv",
        predictions="results/variants/{variant}/predictions.npz",
        metrics="results/variants/{variant}/metrics.json",
        sums="results/variants/{variant}/SHA256SUMS",
    log:
        "results/logs/train/{variant}.log",
    benchmark:
        "results/benchmarks/train/{variant}.tsv"
    # Before plots, which then share the cores with the diagnosis: with the one of normalize, 7 % of a default run.
    priority: 1
    conda:
        "../envs/mnist01.yaml"
    # One, whatever --cores is: with more, sums are taken in another order and the last digits differ.
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=minutes,
        gpu=gpus,
    params:
        fixed("code", digest(*TRAINING)),
        setting("loss"),
        setting("normalization"),
        setting("loss_definition"),
        setting("normalization_definition"),
        setting("hidden"),
        setting("activation"),
        setting("optimizer"),
        setting("lr"),
        setting("epochs"),
        setting("seeds"),
        setting("device"),
        fixed("classes", EXPERIMENT.data["classes"]),
        fixed("trials", EXPERIMENT.diagnosis["trials"]),
    script:
        "../scripts/train.py"


rule plot:
    """The notebook's plot: y as a line, ŷ as dots."""
    input:
        metrics="results/variants/{variant}/metrics.json",
        predictions="results/variants/{variant}/predictions.npz",
        sums="results/variants/{variant}/SHA256SUMS",
    output:
        report(
            "results/variants/{variant}/yhat.png",
            caption="../report/yhat.rst",
            category="ŷ",
            labels={"variant": "{variant}"},
        ),
    log:
        "results/logs/plot/{variant}.log",
    benchmark:
        "results/benchmarks/plot/{variant}.tsv"
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code("plot"),
        fixed("classes", EXPERIMENT.data["classes"]),
    script:
        "../scripts/plot.py"
