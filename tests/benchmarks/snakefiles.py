"""Snakefiles of as many other jobs as the pipeline has, for a dry run beside its own."""

EMPTY = """
VARIANTS = [f"rate-{{place:04}}" for place in range({variants})]
rule all:
    input: expand(["metrics/{{variant}}", "plot/{{variant}}"], variant=VARIANTS)
rule train:
    output: "train/{{variant}}"
    shell: "touch {{output}}"
rule diagnose:
    input: "train/{{variant}}"
    output: "metrics/{{variant}}"
    shell: "touch {{output}}"
rule plot:
    input: "train/{{variant}}"
    output: "plot/{{variant}}"
    shell: "touch {{output}}"
"""

# As many files, inputs, logs and benchmarks as ours, and nothing else.
WITH_FILES = """
VARIANTS = [f"rate-{{place:04}}" for place in range({variants})]
FILES = ["model", "broken", "history", "predictions", "training", "tensors", "sums"]
TRAINED = [f"variants/{{{{variant}}}}/1/{{file}}" for file in FILES]
DIAGNOSED = ["variants/{{variant}}/metrics", "variants/{{variant}}/sums"]
wildcard_constraints:
    variant="[^/]+"
rule all:
    input: expand([*TRAINED, *DIAGNOSED, "variants/{{variant}}/plot"], variant=VARIANTS), "report"
rule data:
    output: "normalized", "digits", "loss", "loss_sums"
    shell: "touch {{output}}"
rule train:
    input: "normalized"
    output: TRAINED
    log: "logs/train/{{variant}}/1"
    benchmark: "benchmarks/train/{{variant}}/1"
    shell: "touch {{output}}"
rule diagnose:
    input: TRAINED, "normalized", "digits", "loss", "loss_sums"
    output: DIAGNOSED
    log: "logs/diagnose/{{variant}}"
    benchmark: "benchmarks/diagnose/{{variant}}"
    shell: "touch {{output}}"
rule plot:
    input: TRAINED[3:5], TRAINED[6]
    output: "variants/{{variant}}/plot"
    log: "logs/plot/{{variant}}"
    benchmark: "benchmarks/plot/{{variant}}"
    shell: "touch {{output}}"
rule compare:
    input: expand([*DIAGNOSED, TRAINED[1], TRAINED[3]], variant=VARIANTS), "normalized"
    output: "comparison"
    shell: "touch {{output}}"
rule report:
    input: expand([*DIAGNOSED, *TRAINED[2:4], TRAINED[6], "variants/{{variant}}/plot"], variant=VARIANTS), "comparison"
    output: "report"
    shell: "touch {{output}}"
"""
