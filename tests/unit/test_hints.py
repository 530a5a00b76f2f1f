"""What a complaint about config.yaml suggests: the slip that was probably made, and how it is typed right."""

import tarfile

import pytest

from common.errors import UserError
from experiment.config import check
from experiment.reading import read_config

CONFIG = """
data: {source: sample}
normalizations: {unit: x / 255}
losses: {bce: {module: BCELoss}}
variants:
  a: {loss: bce, normalization: unit}
"""
END = "normalization: unit}"
LOSS = "{module: BCELoss}"
A, OF = "{loss: bce, normalization: unit}", "\n    loss: bce\n    normalization: unit\n    "
SLIPS = [
    (END, "normalization: unit, lr: 0,01}", "found the key 1, expected text (put it in quotes; or a point in place of"),
    (END, "normalization: unit, epochs: 1,000}", "or a point in place of the comma before it)"),
    (A, OF + "lr: 0,01", "lr: found '0,01', expected a number; did you mean 0.01?"),
    (A, OF + "lr: -1,5e-3", "lr: found '-1,5e-3', expected a number; did you mean -1.5e-3?"),
    (A, OF + "epochs: 1,000", "found '1,000', expected a whole number; did you mean 1000?"),
    (
        LOSS,
        "{formula: mean(maximum(yhat, y))}",
        "found 'mean(maximum(yhat', which a comma cuts off: put all of it in quotes",
    ),
    (LOSS, "{formula: mean(k * maximum(yhat, y)), k: 2}", "which a comma cuts off: put all of it in quotes"),
    (LOSS, "mean(maximum(yhat, y))", "a formula with a comma is put in quotes where it stands in { }"),
    ("{bce: {module: BCELoss}}", "\n  bce: mean((yhat - y) ** 2", "'(' was never closed"),
    (LOSS, "mean(2 yhat)", "Perhaps you forgot an operator?"),
    (LOSS, "mean(2 (y - yhat))", "an operator is missing after '2'"),
    (LOSS, "mean(y (1 - yhat))", "y is no function: write y, and an operator before what follows"),
    ("x / 255", "(x - mean) / std(x)", "std is no function: write std, and an operator before what follows"),
    (LOSS, "{formula: mean(k * yhat), k: }", "constant 'k': found nothing, expected a number"),
    (END, "normalization: unit, device: gpu}", "found 'gpu'; expected one of: auto, cpu, cuda, mps"),
    (
        "variants:",
        f"variants:\n  {'ab' * 30}: {{loss: bce, normalization: unit}}",
        "which repeats a piece of itself 20 times",
    ),
    ("source: sample", "source: /dev/null", "found '/dev/null', which is no file or folder"),
    ("source: sample", "source: s3://a/b.tgz", "found 's3://a/b.tgz', expected the URL of a .tgz file"),
    ("{loss: bce,", "{loss:bce,", "variants.a: unknown key 'loss:bce'; a space is missing after 'loss:'"),
    ("{loss: bce, " + END, "\n    loss:squared", "found 'loss:squared', expected keys and values; a space is missing"),
    (
        "data: {",
        "epochs:5\ndata: {",
        "not allowed here; is a space missing after a colon above it, or quotes",
    ),
    ("data: {source: sample}", "data:{source: sample}", "unknown key 'data:{source'; a space is missing after 'data:'"),
    (END, "normalization: unit, activation: {name:ELU}}", "found the keys name:ELU, expected name, with a space after"),
    (LOSS, "np.mean((y - yhat) ** 2)", "functions stand alone here: write mean(a)"),
    (LOSS, "(y - yhat).abs().mean()", "functions stand alone here: write mean(a)"),
    (END, "normalization: unit, lr: [1, 50]}", "to train one variant per value, write the list under sweeps"),
    (END, "normalization: unit, hidden: [[8], [9]]}", "to train one variant per value, write the list under sweeps"),
]


@pytest.mark.parametrize(("place", "typed", "words"), SLIPS, ids=range(len(SLIPS)))
def test_slip_is_told_with_what_helps(tmp_path, place, typed, words):
    path = tmp_path / "config.yaml"
    assert CONFIG.count(place) == 1
    path.write_text(CONFIG.replace(place, typed))
    with pytest.raises(UserError) as complaint:
        check(read_config(path))
    assert words in str(complaint.value)


@pytest.mark.parametrize(
    ("place", "typed"),
    [
        ("{source: sample}", "{source: sample, timeout: [1, 2]}"),
        ("data: {", "diagnosis: {trials: [1, 2]}\ndata: {"),
        (END, "normalization: unit, optimizer: {name: SGD, momentum: [0.5, 0.9]}}"),
    ],
)
def test_list_that_no_sweep_takes_has_no_such_hint(tmp_path, place, typed):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace(place, typed))
    with pytest.raises(UserError, match=r"expected a (whole )?number$"):
        check(read_config(path))


def test_values_that_are_right_give_no_hint(tmp_path):
    path = tmp_path / "config.yaml"
    for typed in ("normalization: unit, lr: 0.01}", 'normalization: unit, note: "a, b"}'):
        path.write_text(CONFIG.replace(END, typed))
        check(read_config(path))


@pytest.mark.parametrize(
    ("arguments", "is_refused"),
    [
        ({"alpha": 1e10}, True),
        ({"alpha": -1e10}, True),
        ({"alpha": 30, "lambd": 1e30}, True),
        ({"alpha": 3, "lambd": 1}, False),
        ({}, False),
    ],
)
def test_rate_of_asgd_that_python_cannot_compute_is_refused(arguments, is_refused):
    config = small_config_of({"optimizer": {"name": "ASGD", **arguments}})
    if is_refused:
        with pytest.raises(UserError, match=r"ASGD: found alpha .*is no number of float32"):
            check(config)
    else:
        check(config)


def small_config_of(settings: dict) -> dict:
    return {
        "data": {"source": "sample"},
        "normalizations": {"unit": "x / 255"},
        "losses": {"bce": {"module": "BCELoss"}, "same": {"module": "BCELoss"}},
        "variants": {"a": {"loss": "bce", "normalization": "unit"} | settings},
    }


def test_constant_that_its_formula_does_not_have_is_told():
    config = small_config_of({"loss": "mine", "normalization": "unit"})
    config["losses"]["mine"] = {"formula": "mean(yhat ** p - eps_)", "p": 2, "eps_": 1, "eps": 1e-7}
    config["normalizations"]["unit"] = {"formula": "x / most", "most": 255, "x1": 0}
    assert check(config).warnings == [
        "losses.mine: constant 'eps' is not in its formula",
        "normalizations.unit: constant 'x1' is not in its formula",
    ]


@pytest.mark.parametrize(
    ("typed", "value"), [("010", "8"), ("1:30", "90"), ("-0_12", "-10"), ("1:30.5", "90.5"), ("0777", "511")]
)
def test_number_that_yaml_reads_as_another_is_refused(tmp_path, typed, value):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace(END, f"normalization: unit, epochs: {typed}}}"))
    with pytest.raises(UserError) as complaint:
        read_config(path)
    told = f"found {typed}, which YAML takes for {value}; write {value}, or put it in quotes"
    assert str(complaint.value) == f"{path}, line 6, column 47: {told}"


@pytest.mark.parametrize("typed", ["01", "0.5", "00.5", "0x10", "1_000", "0b11", "1.0e+3"])
def test_number_that_yaml_reads_as_it_stands_is_taken(tmp_path, typed):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace(END, f"normalization: unit, lr: {typed}}}"))
    check(read_config(path))


def test_text_of_another_encoding_is_told_with_its_place(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes(b"data:\n  # na\xefve\n" + CONFIG.encode())
    with pytest.raises(UserError, match=r", line 2, column 7: found byte 0xef, which is not UTF-8 text$"):
        read_config(path)


def test_white_space_that_cannot_be_seen_is_shown(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace(END, "normalization: unit, lr\u00a0: 0.1}"))
    with pytest.raises(UserError, match=r"unknown key 'lr\\xa0'; did you mean 'lr'"):
        check(read_config(path))


@pytest.mark.parametrize(("hidden", "weights"), [([100_000] * 3, 20_078_800_001), ([9_000, 10_000], 97_085_001)])
def test_network_that_no_machine_holds_is_refused(hidden, weights):
    config = small_config_of({"hidden": hidden})
    if weights < 1e8:
        check(config)
    else:
        with pytest.raises(UserError, match=rf"variants\.a\.hidden: found {weights:,} weights, expected at most 100,0"):
            check(config)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"text"])
def test_archive_that_is_none_is_told_before_anything_runs(tmp_path, content):
    path = tmp_path / "images.tgz"
    path.write_bytes(content)
    config = small_config_of({}) | {"data": {"source": str(path)}}
    with pytest.raises(UserError, match=r"images\.tgz: found no \.tgz file in it, expected one with PNG images$"):
        check(config)


def test_archive_that_cannot_be_read_is_told_so(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "images.tgz"
    path.write_bytes(b"")
    monkeypatch.setattr(tarfile, "open", refused)
    config = small_config_of({}) | {"data": {"source": str(path)}}
    with pytest.raises(UserError, match=r"images\.tgz: cannot be read: Permission denied$"):
        check(config)
