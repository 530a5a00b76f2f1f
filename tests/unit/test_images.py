"""Images of somebody else's: what is damaged is told, and nothing is read that is no image or never ends."""

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zlib
from pathlib import Path

import extract
import numpy as np
import pytest
from PIL import Image

from builders.cases import cases
from builders.digits import draw_digits
from builders.hostile import ONE_LINE, a_device, a_pipe, within_reason
from builders.pngs import digits_from, pack, write_pngs
from builders.workflows import small_config
from common.errors import UserError
from experiment.config import check
from images import png


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
        found = extract.read_png_classes(source, ["0", "1"], "images.tgz")  # as the user calls it, without its folder
        return [images.numpy().tolist() for part in found.values() for images in part]

    expected = pixels(content)
    bits = random.Random(1).choices(range(8 * len(content)), k=cases(60, 500))
    told = 0
    for bit in bits:
        try:
            assert pixels(flipped(content, bit)) == expected, bit
        except UserError as error:
            told += 1
            assert str(error).startswith(("images.tgz: ", "data.source: images.tgz: "))
            assert len(str(error)) < ONE_LINE
    assert told >= (0 if packed is bytes else 0.5 * len(bits))


@pytest.mark.parametrize(
    ("packed", "place"), [(gzip.compress, -8), (bz2.compress, -4), (lzma.compress, -8)], ids=["gz", "bz2", "xz"]
)
def test_checksum_behind_an_archive_is_verified(folder, tmp_path, packed, place):
    content = packed(gzip.decompress(pack(folder, tmp_path / "images.tgz").read_bytes()))
    (tmp_path / "images.tgz").write_bytes(flipped(content, 8 * (len(content) + place)))
    for classes in (None, ["0"]):  # as download counts, as extract reads
        with pytest.raises(UserError, match=r"images\.tgz: not a whole \.tgz file"):
            list(png.each_image(tmp_path / "images.tgz", classes))


def test_damaged_header_does_not_leave_the_rest_of_an_archive_out(folder, tmp_path):
    content = gzip.decompress(pack(folder, tmp_path / "images.tgz").read_bytes())
    with tarfile.open(tmp_path / "images.tgz") as archive:
        headers = [member.offset for member in archive.getmembers()[1:]]
    for header in random.Random(2).sample(headers, 12):
        damaged = flipped(content, 8 * (header + 3))
        (tmp_path / "images.tgz").write_bytes(gzip.compress(damaged))
        with pytest.raises(UserError, match=r"images\.tgz: not a whole \.tgz file: found no header of an entry"):
            list(png.each_image(tmp_path / "images.tgz"))


def test_archive_without_its_end_is_not_whole(folder, tmp_path):
    content = gzip.decompress(pack(folder, tmp_path / "images.tgz").read_bytes()).rstrip(b"\0")
    whole = content + bytes(-len(content) % tarfile.BLOCKSIZE)
    for zeros in (0, 100, tarfile.BLOCKSIZE - 1):
        (tmp_path / "images.tgz").write_bytes(gzip.compress(whole + bytes(zeros)))
        with pytest.raises(UserError, match=r"not a whole \.tgz file: it ends without its last blocks"):
            list(png.each_image(tmp_path / "images.tgz"))
    (tmp_path / "images.tgz").write_bytes(gzip.compress(whole + bytes(1024)))
    assert len(list(png.each_image(tmp_path / "images.tgz"))) == 51


def entry(kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    """Of an archive, with a right checksum whatever it says."""
    header = tarfile.TarInfo("training/0/1.png")
    header.type, header.size = kind, len(content) if size is None else size
    return header.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


PAX, LONG_NAME = tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME
MALFORMED = {
    "back": (entry(tarfile.REGTYPE, size=-512), "found an entry of -512 bytes"),
    "pax-of-no-size": (entry(PAX, size=-512), "not a whole"),
    "pax-beyond-an-offset": (entry(PAX, size=1 << 70), "found a header of 1,180,591,620,717,411,303,424 bytes"),
    "entry-beyond-an-offset": (entry(tarfile.REGTYPE, size=1 << 70), "found more than 4 GiB in the archive"),
    "sparse-map": (entry(PAX, b"30 GNU.sparse.map=a,b,c,d,e,f\n") + entry(tarfile.REGTYPE), "not a whole"),
    "chain-of-pax": (entry(PAX, b"11 path=abc\n") * 5000, "not a whole"),
    "chain-of-names": (entry(LONG_NAME, b"abc\0") * 5000, "not a whole"),
    "long-pax": (entry(PAX, bytes(2 << 20)), "found a header of 2,097,152 bytes"),
    "long-name": (entry(LONG_NAME, bytes(2 << 20)), "found a header of 2,097,152 bytes"),
}


@pytest.mark.parametrize(("content", "words"), MALFORMED.values(), ids=MALFORMED)
def test_archive_that_tarfile_does_not_expect_is_one_line(tmp_path, content, words):
    source = tmp_path / "images.tgz"
    for before in (entry(tarfile.REGTYPE, as_png("L")), b""):
        source.write_bytes(gzip.compress(before + content + bytes(1024)))
        told = []

        def attempt(told=told) -> None:
            with pytest.raises(UserError) as error:
                png.look_at(source, ["0"])
                list(png.each_image(source))
            told.append(str(error.value))

        within_reason(attempt)
        assert str(source) in told[0] and len(told[0]) < ONE_LINE + len(str(source))
        assert not before or words in told[0]


def chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """(kind, content) of each chunk of a PNG."""
    found, place = [], 8
    while place < len(content):
        (size,) = struct.unpack_from(">I", content, place)
        found.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += 12 + size
    return found


def of_chunks(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG, its checksums right."""
    packed = (struct.pack(">I", len(of)) + kind + of + struct.pack(">I", zlib.crc32(kind + of)) for kind, of in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("left_out", [b"IHDR", b"IDAT", b"PLTE"])
def test_image_without_a_chunk_is_not_readable(left_out):
    content = of_chunks([chunk for chunk in chunks(as_png("P")) if chunk[0] != left_out])
    with pytest.raises(UserError, match="not a readable PNG image"):
        extract.decode("a.png", content)


def test_image_with_right_checksums_and_anything_in_it_is_read_or_refused():
    chance = random.Random(4)
    kinds = [b"tRNS", b"PLTE", b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"fdAT", b"IDAT", b"IHDR", b"abcd", b"ABCD"]
    contents = [chunks(as_png(mode)) for mode in ("1", "L", "P", "RGB")]
    told = 0
    for _ in range(cases(1000, 10_000)):
        changed = list(chance.choice(contents))
        place = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed.insert(place, (chance.choice(kinds), chance.randbytes(chance.choice([0, 1, 4, 13, 100]))))
            case 1:
                del changed[place]
            case _:
                kind, content = changed[place]
                changed[place] = kind, flipped(content, chance.randrange(8 * len(content))) if content else b"x"
        try:
            assert extract.decode("a.png", of_chunks(changed)).shape == (28, 28)
        except UserError:
            told += 1
    assert told > 500


def rgb16() -> bytes:
    """PIL writes none."""
    header = struct.pack(">IIBBBBB", 28, 28, 16, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes(28 * 6)) * 28)
    return of_chunks([(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")])


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
        (rgb16(), "16 bits a channel"),
        (of_chunks([(b"tEXt", b"a\0b"), *chunks(grey16())]), "16 bits a channel"),
        (ink_in_alpha(), r"transparency \(mode LA\)"),
        (as_png("RGBA"), r"transparency \(mode RGBA\)"),
        (as_png("P", transparency=0), r"transparency \(mode P\)"),
        (as_png("L", transparency=0), r"transparency \(mode L\)"),
        (of_chunks([*chunks(as_png("L"))[:-1], (b"tRNS", b"\0\0"), (b"IEND", b"")]), r"transparency \(mode L\)"),
        (as_png("RGB", transparency=(0, 0, 0)), r"transparency \(mode RGB\)"),
    ],
)
def test_image_that_8_bits_of_grey_would_lose_something_of_is_refused(content, found):
    expected = "expected grey, palette or RGB of 8 bits without transparency"
    with pytest.raises(UserError, match=f"^a.png: found {found}, {expected}$"):
        extract.decode("a.png", content)


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
