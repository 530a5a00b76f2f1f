# From normalized tensors to results/variants/{variant}/: weights, history, predictions, metrics and the ŷ plot.


def setting(key):
    """The value of one setting of the job's variant: what the job depends on, and nothing else of config.yaml."""
    return lambda wildcards: EXPERIMENT.variants[wildcards.variant][key]


def normalized(wildcards):
    return f"results/data/normalized/{setting('normalization')(wildcards)}.pt"


rule train:
    """A model per seed of one variant. A loss that is not finite is recorded, and the job succeeds."""
    input:
        normalized=normalized,
        modules=[
            workflow.source_path("../scripts/common/errors.py"),
            workflow.source_path("../scripts/common/files.py"),
            workflow.source_path("../scripts/common/formula.py"),
            workflow.source_path("../scripts/common/network.py"),
        ],
    output:
        model="results/variants/{variant}/model.pt",
        history="results/variants/{variant}/history.csv",
        predictions="results/variants/{variant}/predictions.npz",
        metrics="results/variants/{variant}/metrics.json",
    params:
        loss_definition=setting("loss_definition"),
        hidden=setting("hidden"),
        activation=setting("activation"),
        optimizer=setting("optimizer"),
        lr=setting("lr"),
        epochs=setting("epochs"),
        seeds=setting("seeds"),
    log:
        "results/logs/train/{variant}.log",
    benchmark:
        "results/benchmarks/train/{variant}.tsv"
    # One, whatever --cores is: with more, sums are taken in another order and the last digits differ.
    threads: 1
    conda:
        "../envs/mnist01.yaml"
    script:
        "../scripts/train.py"


rule plot:
    """The notebook's plot: y as a line, ŷ as dots."""
    input:
        metrics="results/variants/{variant}/metrics.json",
        predictions="results/variants/{variant}/predictions.npz",
        modules=[
            workflow.source_path("../scripts/common/errors.py"),
            workflow.source_path("../scripts/common/files.py"),
        ],
    output:
        report(
            "results/variants/{variant}/yhat.png",
            caption="../report/yhat.rst",
            category="ŷ",
            labels={"variant": "{variant}"},
        ),
    params:
        classes=EXPERIMENT.data["classes"],
    log:
        "results/logs/plot/{variant}.log",
    benchmark:
        "results/benchmarks/plot/{variant}.tsv"
    conda:
        "../envs/mnist01.yaml"
    script:
        "../scripts/plot.py"
