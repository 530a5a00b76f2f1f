"""Formulas that nobody would type: each is refused in one line, or every job of a run with it ends well."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builders.cases import cases
from builders.pipeline import Pipeline, checked
from formulas.language import ARITHMETIC, COMPARISONS, FUNCTIONS, OVER_SAMPLES

NORMALIZATIONS = ["x / 255", "(x - mean) / std", "x", "(x - pixel_mean) / pixel_std", "x * 1e30", "log(x)", "x - x"]
TYPED = [
    "-mean(y * log(yhat) + (1 - y) * log(1 - yhat))",
    "mean((yhat - y) ** 2)",
    "mean(softplus((1 - 2 * y) * logits))",
    "mean(maximum(1 - (2 * y - 1) * logits, 0))",
    "-mean(y * log(yhat + 1e-7) + (1 - y) * log(1 - yhat + 1e-7))",
]
SLIPS = ["", *" ()-+*/%@~,.=[]'\"\n\x00012éyｙ", "yhat", "logits", "log(", "sqrt(", "exp(", "**", "//", "1e", "np."]
SLIPS += ["if", "lambda", "not "]


def expressions(leaves: int = 12):
    names = st.sampled_from(["y", "yhat", "logits"])
    numbers = st.sampled_from(["0", "1", "2", "0.5", "-1", "1e-7", "1e30", "1e-30", "3.4e38", "1e-45", "-0.0", "16.6"])

    def grow(inner):
        called = [
            st.tuples(*[inner] * (1 + usage.count(","))).map(_call(name)) for name, (usage, _) in FUNCTIONS.items()
        ]
        operators = st.sampled_from([symbol for symbol, _ in [*ARITHMETIC.values(), *COMPARISONS.values()]])
        binary = st.tuples(inner, operators, inner).map(lambda parts: f"({' '.join(parts)})")
        return st.one_of(binary, binary, inner.map(lambda one: f"-({one})"), *called)

    return st.recursive(st.one_of(names, names, numbers), grow, max_leaves=leaves)


def _call(name: str):
    return lambda parts: f"{name}({', '.join(parts)})"


def nested(name: str, inside: str, depth: int) -> str:
    return f"mean({f'{name}(' * depth}{inside}{')' * depth})"


@st.composite
def slips(draw) -> str:
    """A formula that was right, with a few slips."""
    text = draw(st.sampled_from(TYPED))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from(SLIPS)) + text[start + draw(st.integers(0, 5)) :]
    return text


one_argument = sorted(name for name, (usage, _) in FUNCTIONS.items() if "," not in usage and name not in OVER_SAMPLES)
formulas = st.one_of(
    st.tuples(st.sampled_from(["mean", "sum", "-mean", "-sum", ""]), expressions()).map(lambda p: f"{p[0]}({p[1]})"),
    st.lists(expressions(4), min_size=2, max_size=20).map(lambda parts: f"mean({' + '.join(parts)})"),
    st.tuples(st.sampled_from(TYPED), expressions(3)).map(" * ".join),
    st.builds(
        nested, st.sampled_from([*one_argument, "-"]), st.sampled_from(["yhat", "logits - y"]), st.integers(5, 65)
    ),
    slips(),
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Pipeline:
    return Pipeline(tmp_path_factory.mktemp("pipeline"))


@settings(max_examples=cases(25, 2500), suppress_health_check=list(HealthCheck))
@given(formulas, st.sampled_from(NORMALIZATIONS), st.sampled_from([0.01, 1, 1e10]), st.sampled_from([3, 30]))
@example("mean(logits / -0.0 + y)", "x / 255", 0.01, 3)
@example("mean(clamp(mean(logits), 0, yhat))", "x / 255", 0.01, 3)
@example("mean(clamp(yhat, sum(y), mean(logits)))", "x / 255", 0.01, 3)
@example("mean((y + 3) ** (yhat ** logits))", "x / 255", 0.01, 3)
@example("mean(100 ** (100 ** (100 ** (100 ** logits))))", "x / 255", 0.01, 3)
@example(nested("sigmoid", "logits", 58), "x / 255", 0.01, 3)
@example(nested("-", "yhat", 58), "x / 255", 0.01, 3)
def test_formula_is_refused_in_a_line_or_runs_to_its_page(pipeline, formula, normalization, lr, epochs):
    config = {
        "data": {"source": "sample"},
        "defaults": {"hidden": [3], "epochs": epochs},
        "diagnosis": {"trials": 2},
        "normalizations": {"n": normalization},
        "losses": {"l": formula},
        "variants": {"v": {"loss": "l", "normalization": "n", "lr": lr}},
    }
    experiment = checked(config)
    if experiment:
        pipeline.run(experiment)
