"""Settings as params: each names itself, and comes out of the job as it went in."""

from hypothesis import given
from hypothesis import strategies as st

from common.params import each, param, read_params

TEXT = st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=5)


@given(VALUES, st.dictionaries(TEXT, VALUES, max_size=3))
def test_what_a_job_reads_is_what_it_was_told(value, values):
    assert read_params([param("one", value), *each("many", values)]) == {"one": value, "many": values}


def test_order_of_keys_changes_no_param():
    assert param("loss", {"b": 1, "a": [2]}) == param("loss", {"a": [2], "b": 1}) == 'loss={"a": [2], "b": 1}'
    assert each("variants", {"b": 1, "a": 2}) == ['variants={"a": 2}', 'variants={"b": 1}']


def test_equal_values_of_two_settings_are_two_params():
    """Snakemake compares a set of values without names."""
    assert {param("epochs", 5), param("trials", 1)} != {param("epochs", 1), param("trials", 5)}
