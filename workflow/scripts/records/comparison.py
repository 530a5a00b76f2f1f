"""What only shows when variants lie side by side: the files under results/comparison/."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two variants whose settings differ in one key alone, seed by seed: the first with the first, and so on.

    only_a, only_b and p_value are of those seeds that gave an answer to all test images in both variants.
    """

    a: Annotated[str, Meta(description="the variant before the change")]
    b: Annotated[str, Meta(description="the one after it")]
    seeds: Annotated[int, Meta(description="pairs of models")]
    diverged: Annotated[tuple[int, int], Meta(description="how many models of a, and of b, diverged")]
    wrong: Annotated[tuple[list[int | None], list[int | None]], Meta(description="wrong test images, a model each")]
    only_a: Annotated[int, Meta(description="test images that only a's model gets right, over the seeds")]
    only_b: int
    p_value: Annotated[
        float | None,
        Meta(
            description="of the paired test over images and seeds; null where none can be compared, and where a seed"
            " has an answer in one of the two variants alone"
        ),
    ]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One key's change from one value to another, over all other settings and seeds (an entry of changes.json)."""

    key: str
    values: Annotated[list, Meta(description="before, after")]
    models: Annotated[
        int, Meta(description="pairs of models: two that differ in nothing else; models of equal settings are one")
    ]
    diverged: Annotated[tuple[int, int], Meta(description="of these, how many models diverged before and after")]
    better: Annotated[
        int,
        Meta(description="pairs with fewer wrong test images after the change, or with an answer to them only then"),
    ]
    worse: Annotated[
        int, Meta(description="pairs with more wrong test images after it, or with an answer to them only before")
    ]
    equal: Annotated[int, Meta(description="pairs with as many; those that never answer are in none of the three")]
    difference: Annotated[
        float | None,
        Meta(description="wrong test images after minus before, the mean of pairs with both answers; null without"),
    ]
    p_value: Annotated[
        float | None,
        Meta(
            description="of the paired test: over the pairs of models that are better, worse or equal, where there are"
            " six or more; else over the images, null where one has no answer on one side alone, or none has both"
        ),
    ]
    pairs: list[Pair]


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """The variants by their test images."""

    winners: Annotated[
        list[str],
        Meta(description="the good ones with the best mean accuracy over their seeds; of all, where none is good"),
    ]
    equals: Annotated[list[str], Meta(description="those that do not differ significantly from one of the winners")]
    worse: Annotated[list[str], Meta(description="significantly worse than each of the winners")]
    better: Annotated[list[str], Meta(description="faulty ones that are significantly better than each of them")]
    out: Annotated[
        list[str],
        Meta(
            description="those that take no part: a seed diverged or fails, has a ŷ that is NaN for a test image, or is"
            " no better on the test images than always naming the larger class"
        ),
    ]
    p_values: Annotated[
        dict[str, float],
        Meta(
            description="of all others: the largest p of the paired test against a winner, with Holm's correction"
            " for all pairs"
        ),
    ]
    pairs: Annotated[
        int, Meta(description="of two variants that take part; those with equal settings and seeds count once")
    ]
    apart: Annotated[int, Meta(description="how many of these pairs differ significantly, of those that are tested")]


class Significance(msgspec.Struct, frozen=True, kw_only=True):
    """Which differences between variants may be luck (significance.json)."""

    ranking: Ranking
    compared: Annotated[
        list[str],
        Meta(
            description="the variants every two of which have a p: those that take part, the fewest wrong test images"
            " first; of many only the best, as comparing/ranking.py says"
        ),
    ]
    p_values: Annotated[
        list[list[float]],
        Meta(
            description="a list per variant of `compared`, with a number per variant before it there: p of the exact"
            " paired test over all test images and seeds, not corrected for how many there are"
        ),
    ]
    corrected: Annotated[
        list[list[float]], Meta(description="the same, after Holm's correction for all `pairs` of the ranking")
    ]
