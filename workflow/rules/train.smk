# From normalized tensors to results/variants/{variant}/: weights, history, predictions, metrics and the ŷ plot.


rule train:
    """A model per seed of one variant. A loss that is not finite is recorded, and the job succeeds."""
    input:
        normalized=lambda wildcards: (
            f"results/data/normalized/{EXPERIMENT.variants[known(wildcards).variant]['normalization']}.pt"
        ),
        digits="results/data/digits.pt",
        code=code("train"),
        settings=settings("train"),
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
        loss=EXPERIMENT.setting("loss"),
        normalization=EXPERIMENT.setting("normalization"),
        loss_definition=EXPERIMENT.setting("loss_definition"),
        normalization_definition=EXPERIMENT.setting("normalization_definition"),
        hidden=EXPERIMENT.setting("hidden"),
        activation=EXPERIMENT.setting("activation"),
        optimizer=EXPERIMENT.setting("optimizer"),
        lr=EXPERIMENT.setting("lr"),
        epochs=EXPERIMENT.setting("epochs"),
        seeds=EXPERIMENT.setting("seeds"),
        device=EXPERIMENT.setting("device"),
        classes=EXPERIMENT.data["classes"],
        trials=EXPERIMENT.diagnosis["trials"],
    script:
        "../scripts/train.py"


rule plot:
    """The notebook's plot: y as a line, ŷ as dots."""
    input:
        metrics="results/variants/{variant}/metrics.json",
        predictions="results/variants/{variant}/predictions.npz",
        sums="results/variants/{variant}/SHA256SUMS",
        code=code("plot"),
        settings=settings("plot"),
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
        classes=EXPERIMENT.data["classes"],
    script:
        "../scripts/plot.py"
