"""What a config file may hold: bad YAML is told in one line, and nothing is read that never ends."""

import tracemalloc
from pathlib import Path

import pytest
import yaml

from builders.hostile import ONE_LINE, a_device, a_pipe, within_reason
from common.errors import UserError
from experiment.config import check
from experiment.reading import read_config


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: {", "line 1"),
        ("data: {}\ndata: {}", "line 2, column 1: not valid YAML: the key 'data' stands here a second time"),
        ("- a\n- b", "expected keys"),
        ("data:\n\tclasses: 1", "line 2"),
        ("datta: {}", "did you mean 'data'"),
        ("variants: &x {a: *x}", "contains itself"),
        ("\n".join(["a: &a0 [1]", *(f"k{i}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]" for i in range(9))]), "values"),
        ("data: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("defaults: {lr: !!bool maybe}", "line 1, column 16: not valid YAML: 'maybe' cannot be read as !!bool"),
        ('defaults: {lr: !!int ""}', "line 1, column 16: not valid YAML: '' cannot be read as !!int"),
        ("defaults: {lr: !!float x}", "cannot be read as !!float"),
        ("defaults: {lr: !!timestamp x}", "cannot be read as !!timestamp"),
        ("defaults: {? !!bool maybe : 1}", "cannot be read as !!bool"),
    ],
)
def test_bad_yaml_is_one_line_that_names_the_place(tmp_path, text, words):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_config(str(path))
    assert words in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00junk", b"variants: [", b"just text", b"- 1", b"a: &a [*a]", b"variants: {x: {loss: 1}}\n" * 2, b""],
)
def test_damaged_config_file_is_one_line(tmp_path, content):
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        check(read_config(str(path)))
    assert str(error.value).startswith((f"{path}", "config: "))
    assert "\n" not in str(error.value)


def test_config_that_is_no_regular_file_is_not_read(tmp_path):
    told = []

    def attempt(path: Path) -> None:
        with pytest.raises(UserError) as error:
            read_config(str(path))
        told.append(str(error.value))

    a_pipe(tmp_path / "pipe.yaml")
    a_device(tmp_path / "device.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(1 << 30)
    for name in ("pipe", "device", "folder", "large"):
        within_reason(lambda name=name: attempt(tmp_path / f"{name}.yaml"))
    assert [line.partition(".yaml: ")[2] for line in told] == [
        "found no regular file, expected a file",
        "found no regular file, expected a file",
        "found a folder, expected a file",
        "found 1,073,741,824 bytes, expected at most 16,777,216",
    ]


def bomb(levels: int, merged: str) -> str:
    lines = ["a0: &a0 {k0: 0, k1: 1, k2: 2, k3: 3, k4: 4, k5: 5, k6: 6, k7: 7, k8: 8, k9: 9}"]
    for level in range(1, levels + 1):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} {{{merged.format(aliases)}}}")
    return "\n".join(lines)


BOMBS = {
    "merge-keys": (bomb(7, "<<: [{}]"), "line 4, column 5: found merge keys (<<) of more than 100,000 values"),
    "lists": (bomb(7, "x: [{}]"), ": found more than 100,000 values"),
    "keys": (bomb(20, "x: [{}]") + "\nb: {? *a20 : 1}", "line 21, column 6: not valid YAML: found unhashable key"),
    "bits": (f"x: 0x{'f' * 2000}", "line 1, column 4: not valid YAML: '0xfff"),
    "minutes": (f"x: 1{':00' * 50_000}", "line 1, column 4: not valid YAML: '1:00:"),
}


@pytest.mark.parametrize(("text", "words"), BOMBS.values(), ids=BOMBS)
def test_few_lines_that_stand_for_millions_are_refused_at_once(tmp_path, text, words):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    told = []

    def attempt() -> None:
        with pytest.raises(UserError) as error:
            read_config(str(path))
        told.append(str(error.value))

    within_reason(attempt)
    assert words in told[0]
    assert len(told[0]) < ONE_LINE + len(str(path))


def test_more_values_than_the_limit_are_refused_where_it_is_reached(tmp_path, monkeypatch):
    monkeypatch.setattr("experiment.reading.MOST_VALUES", 1000)
    path = tmp_path / "config.yaml"
    path.write_text(f"x: [{'a,' * 2500}]")
    with pytest.raises(UserError, match=r"line 1, column 3999: found more than 1,000 values"):
        read_config(str(path))


def test_merge_key_of_many_aliases_is_refused_before_they_are_copied(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"{bomb(2, '<<: [{}]')}\nwide: {{<<: [{', '.join(['*a2'] * 3000)}]}}")
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"found merge keys \(<<\) of more than 100,000 values"):
            read_config(str(path))
        assert tracemalloc.get_traced_memory()[1] < 12 << 20  # copied, they take 24 MB
    finally:
        tracemalloc.stop()


def test_merge_keys_of_ordinary_configs_are_taken(tmp_path):
    path = tmp_path / "config.yaml"
    base = "losses: {bce: {module: BCELoss}}\nnormalizations: {unit: x / 255}\n"
    base += "variants:\n  a: &a {loss: bce, normalization: unit}\n"
    path.write_text(base + "".join(f"  v{place}: {{<<: *a, lr: {place + 1}.0}}\n" for place in range(500)))
    config = read_config(str(path))
    assert len(check(config).variants) == 501
    assert yaml.safe_load(path.read_text()) == config
