# From config.yaml's `data` and `normalizations` to results/data/: raw files, the two classes, one tensor file per
# normalization in use.


rule download:
    """The raw images: four verified MNIST files, the embedded sample, or an archive of PNG images."""
    input:
        archive=list(map(local, EXPERIMENT.local_archive)),
    output:
        # update: verified files that are already there are kept, and come back if the job fails.
        raw=update(directory("results/data/raw")),
        source="results/data/source.json",
        sums="results/data/SHA256SUMS",
    log:
        "results/logs/download.log",
    benchmark:
        "results/benchmarks/download.tsv"
    # Where snakemake runs: a node without a network would train on the fallback sample.
    localrule: True
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        code("download"),
        *[fixed(key, EXPERIMENT.data[key]) for key in ("source", "mirrors", "md5", "fallback", "timeout")],
        fixed("images", EXPERIMENT.fingerprint),
    script:
        "../scripts/download.py"


rule extract:
    """The images of the two classes, y = 0 first, in file order."""
    input:
        raw="results/data/raw",
        source="results/data/source.json",
    output:
        tensors="results/data/digits.pt",
        arrays="results/data/digits.npz",
    log:
        "results/logs/extract.log",
    benchmark:
        "results/benchmarks/extract.tsv"
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=15,
    params:
        code("extract"),
        *[fixed(key, EXPERIMENT.data[key]) for key in ("source", "classes")],
    script:
        "../scripts/extract.py"


rule normalize:
    """Input tensors for the network, one file per normalization in use."""
    input:
        digits="results/data/digits.pt",
    output:
        normalized="results/data/normalized/{normalization}.pt",
    log:
        "results/logs/normalize/{normalization}.log",
    benchmark:
        "results/benchmarks/normalize/{normalization}.tsv"
    # Before what trains on another one, so that no long training is the last to start.
    priority: 3
    conda:
        "../envs/mnist01.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=15,
    params:
        code("normalize"),
        lambda wildcards: param("formula", EXPERIMENT.normalizations[known(wildcards).normalization][0]),
        lambda wildcards: param("constants", EXPERIMENT.normalizations[wildcards.normalization][1]),
    script:
        "../scripts/normalize.py"
