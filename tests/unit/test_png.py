"""Images from PNG files: folders, archives and URLs in the layout of mnist_png."""

import gzip
import os
import shutil
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import download
import numpy as np
import pytest
from PIL import Image

from builders.pngs import digits_from, pack, write_pngs
from builders.reading import read_json
from builders.workflows import small_config
from common.errors import UserError
from experiment.config import check
from images import png


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_pngs(tmp_path / "mnist_png")


def test_folder_archive_and_url_give_the_same_tensors(folder, tmp_path):
    archive = pack(folder, tmp_path / "images.tgz")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        sources = [str(folder), str(folder.parent), str(archive), f"http://127.0.0.1:{server.server_port}/images.tgz"]
        all_digits = [digits_from(source, tmp_path) for source in sources]
    finally:
        server.shutdown()
        server.server_close()
    expected = np.stack(
        [np.array(Image.open(folder / "training" / name / f"{n}.png")) for name in "01" for n in range(12)]
    )
    for digits in all_digits:
        np.testing.assert_array_equal(digits["train_images"], expected)
        assert digits["train_labels"].tolist() == [0] * 12 + [1] * 12
        assert digits["test_labels"].tolist() == [0] * 5 + [1] * 5


def test_any_two_folders_are_classes(tmp_path):
    folder = write_pngs(tmp_path / "pets", ("cat", "dog"))
    digits = digits_from(str(folder), tmp_path, ("dog", "cat"))
    assert digits["classes"] == ["dog", "cat"]
    assert len(digits["train_images"]) == 24


def test_source_is_recorded_with_counts_and_checksum(folder, tmp_path):
    archive = pack(folder, tmp_path / "images.tgz")
    digits_from(str(archive), tmp_path)
    record = read_json(tmp_path / "source.json")
    assert record["source"] == str(archive)
    assert record["counts"] == {"train": dict.fromkeys("017", 12), "test": dict.fromkeys("017", 5)}
    assert record["files"]["images.tgz"]["bytes"] == archive.stat().st_size


def damage_empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def damage_missing(folder):
    shutil.rmtree(folder / "testing" / "1")


def damage_size(folder):
    Image.new("L", (32, 28)).save(folder / "training" / "1" / "3.png")


def damage_content(folder):
    (folder / "training" / "1" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")


def damage_half(folder):
    path = folder / "testing" / "0" / "4.png"
    path.write_bytes(path.read_bytes()[:200])


DAMAGE = {
    damage_empty: "found no PNG image, expected some under training/0/",
    damage_missing: "found no PNG image under testing/1/, which data.classes asks for",
    damage_size: "training/1/3.png: found 32 x 28 pixels, expected 28 x 28",
    damage_content: "training/1/3.png: not a readable PNG image",
    damage_half: "testing/0/4.png: not a readable PNG image",
}


@pytest.mark.parametrize("kind", ["folder", "archive"])
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damaged_images_are_named(folder, tmp_path, damage, kind):
    damage(folder)
    source = folder if kind == "folder" else pack(folder, tmp_path / "images.tgz")
    with pytest.raises(UserError) as error:
        digits_from(str(source), tmp_path)
    assert DAMAGE[damage] in str(error.value)
    assert str(source) in str(error.value)
    assert not list(tmp_path.glob("digits.*"))


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_damaged_archive_is_named(folder, tmp_path, content):
    archive = pack(folder, tmp_path / "images.tgz")
    archive.write_bytes(archive.read_bytes()[:-500] if content is None else content)
    with pytest.raises(UserError, match=r"images\.tgz: not a whole \.tgz file"):
        digits_from(str(archive), tmp_path)


def test_archive_that_unfolds_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(png, "MOST_ENTRIES", 50)
    many, large, larger = (tmp_path / f"{name}.tgz" for name in ("many", "large", "larger"))
    with tarfile.open(many, "w:gz") as tar:
        for number in range(60):
            tar.addfile(tarfile.TarInfo(f"{number}.txt"))
    with gzip.open(large, "wb") as file:  # 8 GB, but for the bytes of it
        info = tarfile.TarInfo("training/0/1.png")
        info.size = 8 << 30
        file.write(info.tobuf())
    with larger.open("wb") as file:
        file.truncate(download.MOST_OF_AN_ARCHIVE + 1)
    for archive, words in (
        (many, "found more than 50 entries in the archive"),
        (large, "found more than 4 GiB in the archive"),
        (larger, "larger.tgz is too large: found 268,435,457 bytes, expected at most 268,435,456"),
    ):
        with pytest.raises(UserError, match=words):
            digits_from(str(archive), tmp_path)


def test_folder_of_idx_files_is_told_where_to_name_it(small_mnist):
    with pytest.raises(UserError, match=r"no PNG image.*; it holds t10k-images-idx3-ubyte.gz, .*: name it in data.m"):
        check(small_config(small_mnist) | {"data": {"source": str(small_mnist)}})


def test_images_that_are_missing_are_told_before_anything_runs(folder):
    config = small_config(folder) | {"data": {"source": str(folder), "classes": [0, 3]}}
    with pytest.raises(UserError, match=r"config: data\.source: .*no PNG image under training/3/"):
        check(config)


def test_archive_that_is_missing_at_its_url_is_an_error_not_a_fallback(tmp_path):
    with pytest.raises(UserError, match=r"data\.source: http://127\.0\.0\.1:9/a\.tgz: a\.tgz: Connection refused"):
        download.main("http://127.0.0.1:9/a.tgz", [], {}, "sample", 2, tmp_path / "raw", tmp_path / "source.json")


def test_pictures_are_sorted_as_a_person_would():
    assert sorted(["10.png", "b.png", "9.png", "a.png"], key=png.order) == ["9.png", "10.png", "a.png", "b.png"]


def test_fingerprint_changes_with_names_sizes_and_dates_of_images(tmp_path):
    folder = write_pngs(tmp_path / "mnist_png")
    archive = pack(folder, tmp_path / "images.tgz")
    found = [png.fingerprint(folder), png.fingerprint(archive)]
    assert found == [png.fingerprint(folder), png.fingerprint(archive)]
    (folder / "training/0/1.png").rename(folder / "training/1/100.png")  # a label is corrected
    found.append(png.fingerprint(folder))
    for path, seconds in ((folder / "training/0/2.png", 5), (archive, 5)):  # an older file of the same size
        os.utime(path, (seconds, seconds))
        found.append(png.fingerprint(folder if path != archive else archive))
    assert len(set(found)) == 5
