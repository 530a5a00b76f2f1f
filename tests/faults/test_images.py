"""Images of somebody else's: what is damaged is told, and nothing is read that is no image or never ends."""

import bz2
import gzip
import io
import lzma
import os
import random
import tarfile
import threading
from pathlib import Path

import extract
import numpy as np
import pytest
import yaml
from conftest import Workflow, cases, draw_digits, small_config
from PIL import Image
from test_png import digits_from, pack, write_pngs

from common.errors import UserError
from experiment.config import check, read
from images import png

ONE_LINE = 700


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_pngs(tmp_path / "mnist_png")


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def as_png(mode: str, **how) -> bytes:
    image = Image.fromarray(draw_digits(np.array([3]), np.random.default_rng(1))[0]).convert(mode)
    content = io.BytesIO()
    image.save(content, "PNG", **how)
    return content.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_flipped_bit_of_an_image_is_told_or_changes_no_pixel(mode):
    content = as_png(mode)
    expected = extract.decode("image", content)
    bits = random.Random(mode).choices(range(8 * len(content)), k=cases(200, 500))
    told = 0
    for bit in bits:
        try:
            np.testing.assert_array_equal(extract.decode("image", flipped(content, bit)), expected)
        except UserError:
            told += 1
    assert told > 0.9 * len(bits)


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress, bytes], ids=["gz", "bz2", "xz", "tar"])
def test_flipped_bit_of_an_archive_is_told_or_changes_no_pixel(tmp_path, packed):
    folder = write_pngs(tmp_path / "mnist_png", ("0", "1"))
    with tarfile.open(tmp_path / "plain.tar", "w") as archive:
        archive.add(folder, arcname="mnist_png")
    content = packed((tmp_path / "plain.tar").read_bytes())
    source = tmp_path / "images.tgz"

    def pixels(changed: bytes) -> list:
        source.write_bytes(changed)
        found = extract.read_png_classes(source, ["0", "1"], "images.tgz")
        return [images.numpy().tolist() for part in found.values() for images in part]

    expected = pixels(content)
    bits = random.Random(1).choices(range(8 * len(content)), k=cases(60, 500))
    told = 0
    for bit in bits:
        try:
            assert pixels(flipped(content, bit)) == expected, bit
        except UserError as error:
            told += 1
            assert "images.tgz" in str(error)
            assert len(str(error)) < ONE_LINE
    assert told >= (0 if packed is bytes else 0.5 * len(bits))


def test_damaged_header_does_not_leave_the_rest_of_an_archive_out(folder, tmp_path):
    content = gzip.decompress(pack(folder, tmp_path / "images.tgz").read_bytes())
    with tarfile.open(tmp_path / "images.tgz") as archive:
        headers = [member.offset for member in archive.getmembers()[1:]]
    for header in random.Random(2).sample(headers, 12):
        damaged = flipped(content, 8 * (header + 3))
        (tmp_path / "images.tgz").write_bytes(gzip.compress(damaged))
        with pytest.raises(UserError, match=r"images\.tgz: not a whole \.tgz file: found no header of an entry"):
            list(png.images(tmp_path / "images.tgz"))


def test_archive_without_its_end_is_not_whole(folder, tmp_path):
    content = gzip.decompress(pack(folder, tmp_path / "images.tgz").read_bytes()).rstrip(b"\0")
    whole = content + bytes(-len(content) % tarfile.BLOCKSIZE)
    (tmp_path / "images.tgz").write_bytes(gzip.compress(whole))
    with pytest.raises(UserError, match=r"not a whole \.tgz file: it ends without its last blocks"):
        list(png.images(tmp_path / "images.tgz"))
    (tmp_path / "images.tgz").write_bytes(gzip.compress(whole + bytes(1024)))
    assert len(list(png.images(tmp_path / "images.tgz"))) == 51


def grey16() -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((28, 28), 300, np.uint16)).save(content, "PNG")
    return content.getvalue()


def ink_in_alpha() -> bytes:
    """Black everywhere; what is seen stands in the alpha channel."""
    content = io.BytesIO()
    Image.merge("LA", [Image.new("L", (28, 28)), Image.linear_gradient("L").resize((28, 28))]).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (grey16(), "16 bits a channel"),
        (as_png("I;16"), "16 bits a channel"),
        (ink_in_alpha(), r"transparency \(mode LA\)"),
        (as_png("RGBA"), r"transparency \(mode RGBA\)"),
        (as_png("P", transparency=0), r"transparency \(mode P\)"),
        (as_png("L", transparency=0), r"transparency \(mode L\)"),
        (as_png("RGB", transparency=(0, 0, 0)), r"transparency \(mode RGB\)"),
    ],
)
def test_image_that_8_bits_of_grey_would_lose_something_of_is_refused(content, found):
    expected = "expected grey, palette or RGB of 8 bits without transparency"
    with pytest.raises(UserError, match=f"^a.png: found {found}, {expected}$"):
        extract.decode("a.png", content)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere.png")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_large_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(png.MAX_BYTES + 1)


INSTEAD = {
    a_pipe: "found no regular file, expected an image file",
    a_device: "found no regular file, expected an image file",
    a_link_to_nothing: "found a link to nothing, expected an image file",
    a_folder: "found a folder, expected an image file",
    a_large_file: "found 1,048,577 bytes, expected an image of 28 x 28",
}


@pytest.mark.parametrize("instead", INSTEAD, ids=lambda instead: instead.__name__)
def test_what_is_no_image_is_told_before_anything_runs(folder, instead):
    instead(folder / "training/1/99.png")
    config = small_config(folder) | {"data": {"source": str(folder), "classes": [0, 1]}}
    with pytest.raises(UserError, match=r"training/1/99\.png: ") as error:
        check(config)
    assert INSTEAD[instead] in str(error.value)


def test_link_in_an_archive_is_no_image(folder, tmp_path):
    (folder / "training/1/99.png").symlink_to("3.png")
    with pytest.raises(
        UserError, match=r"images\.tgz: .*training/1/99\.png: found a link or device, expected an image"
    ):
        digits_from(str(pack(folder, tmp_path / "images.tgz")), tmp_path)


def test_dry_run_on_a_dangling_link_is_one_line(folder, tmp_path):
    a_link_to_nothing(folder / "testing/0/99.png")
    config = small_config(folder) | {"data": {"source": str(folder), "classes": [0, 1]}}
    result = Workflow(tmp_path / "work", config).run("--dry-run")
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if "99.png" in line]
    assert line.startswith("error: config: ")
    assert "Traceback" not in result.stderr


def within(seconds: float, action) -> None:
    """Run it; it must come to an end, whatever else the machine does."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive()


def test_config_that_is_no_regular_file_is_not_read(tmp_path):
    told = []

    def attempt(path: Path) -> None:
        with pytest.raises(UserError) as error:
            read(str(path))
        told.append(str(error.value))

    a_pipe(tmp_path / "pipe.yaml")
    a_device(tmp_path / "device.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(1 << 30)
    for name in ("pipe", "device", "folder", "large"):
        within(60, lambda name=name: attempt(tmp_path / f"{name}.yaml"))
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


@pytest.mark.parametrize("merged", ["<<: [{}]", "x: [{}]"], ids=["merge keys", "lists"])
def test_few_lines_that_stand_for_millions_are_refused_at_once(tmp_path, merged):
    path = tmp_path / "config.yaml"
    path.write_text(bomb(7, merged))
    told = []

    def attempt() -> None:
        with pytest.raises(UserError) as error:
            read(str(path))
        told.append(str(error.value))

    within(120, attempt)
    assert "found merge keys (<<) of more than 100,000 values" in told[0] or "more than 100,000 values" in told[0]
    assert len(told[0]) < ONE_LINE


def test_merge_keys_of_ordinary_configs_are_taken(tmp_path):
    path = tmp_path / "config.yaml"
    base = "losses: {bce: {module: BCELoss}}\nnormalizations: {unit: x / 255}\n"
    base += "variants:\n  a: &a {loss: bce, normalization: unit}\n"
    path.write_text(base + "".join(f"  v{place}: {{<<: *a, lr: {place + 1}.0}}\n" for place in range(3000)))
    config = read(str(path))
    assert len(check(config).variants) == 3001
    assert yaml.safe_load(path.read_text()) == config
