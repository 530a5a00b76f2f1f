"""The report's sources, and what it reads besides the records."""

import math
import re
import subprocess

import report

from builders.places import ROOT
from reporting import losses, provenance


def test_benchmark_that_is_lost_or_damaged_is_left_out(tmp_path):
    (tmp_path / "train/good").mkdir(parents=True)
    texts = {"a": "s\tmax_rss\n1.5\t200.0\n", "b": "s\tmax_rss\n0.25\t-\n", "torn": "s\tmax_rss\n1.", "none": ""}
    texts |= {"nan": "s\tmax_rss\nnan\t1\n", "text": "s\tmax_rss\nx\t1\n", "other": "s\tmem\n1\t1\n"}
    for name, text in texts.items():
        (tmp_path / f"train/good/{name}.tsv").write_text(text)
    (tmp_path / "diagnose.tsv").write_bytes(b"\xff")
    trainings = [f"good/{name}" for name in [*texts, "gone"]]
    (row,) = provenance.seconds_per_rule(tmp_path, {"train": trainings, "diagnose": [""]})
    assert row == {"rule": "train", "jobs": 2, "seconds": 1.75, "megabytes": 200.0}
    (row,) = provenance.seconds_per_rule(tmp_path, {"train": ["good/b"]})
    assert row["megabytes"] is None


SOURCES = [path for path in (ROOT / "workflow/report").rglob("*") if path.suffix in (".j2", ".js", ".css")]


def test_library_has_no_address_that_is_fetched():
    texts = {path.name: path.read_text() for path in SOURCES}
    assert "default-src 'none'" in texts["report.html.j2"]
    assert [name for name, text in texts.items() if 'src="http' in text] == []


def test_every_style_and_script_is_in_the_page_once():
    template = (ROOT / "workflow/report/report.html.j2").read_text()
    named = re.findall(r'[\w-]+(?=")', "".join(re.findall(r"\[.*?\]", template, re.DOTALL)))
    assert sorted(named) == sorted(path.stem for path in SOURCES if path.suffix != ".j2")


def test_no_line_of_the_page_s_sources_is_too_long():
    lines = [(path.name, number, line) for path in SOURCES for number, line in enumerate(path.open(), start=1)]
    assert [(name, number) for name, number, line in lines if len(line.rstrip("\n")) > 120] == []


def test_names_that_look_like_no_value_are_names(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("variant,seed,loss,value,gradient_norm\nnull,1,nan,inf,nan\nnull,1,1,0.5,1.0\n")
    assert losses.same_weights(report.read_table(table)) == [
        {"variant": "null", "seed": 1, "losses": {"nan": math.inf, "1": 0.5}}
    ]


def test_provenance_speaks_of_changes_only_where_files_of_the_workflow_changed(tmp_path):
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    for name in ("config.yaml", "README.md", "Snakefile", "workflow/scripts/train.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one\n")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    for name in ("config.yaml", "README.md", "new.txt", "workflow/scripts/new.py"):
        (tmp_path / name).write_text("two\n")
        assert not provenance.commit(tmp_path)["dirty"], name
    for name in ("Snakefile", "workflow/scripts/train.py"):
        (tmp_path / name).write_text("two\n")
        assert provenance.commit(tmp_path)["dirty"], name
        (tmp_path / name).write_text("one\n")
    git("add", "workflow")
    assert provenance.commit(tmp_path)["dirty"]  # staged, not committed
    assert provenance.commit(tmp_path / "workflow") is None
