# From normalized tensors to results/variants/{variant}/{seed}/: what each training leaves behind.


rule train:
    """A model: one variant with one seed. A loss that is not finite is recorded, and the job succeeds."""
    input:
        normalized=lambda wildcards: (
            f"results/data/normalized/{EXPERIMENT.variants[known(wildcards).variant]['normalization']}.pt"
        ),
    output:
        **{key: f"results/variants/{{variant}}/{{seed}}/{file}" for key, file in MODEL_FILES.items()},
    log:
        "results/logs/train/{variant}/{seed}.log",
    benchmark:
        "results/benchmarks/train/{variant}/{seed}.tsv"
    # Before what is made of models, so that no long training is the last to start.
    priority: 2
    conda:
        "../envs/mnist01.yaml"
    # One, whatever --cores is: with more, sums are taken in another order and the last digits differ.
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=minutes(trainings=1),
        gpu=gpus,
    params:
        fixed("code", digest(*TRAINING)),
        *map(setting, KEYS),
        fixed("classes", EXPERIMENT.data["classes"]),
    script:
        "../scripts/train.py"


rule plot:
    """The notebook's plot: y as a line, ŷ as dots."""
    input:
        training=of_models("training"),
        predictions=of_models("predictions"),
        sums=of_models("sums"),
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
        # Their order: of inputs, Snakemake compares the set.
        setting("seeds"),
    script:
        "../scripts/plot.py"
