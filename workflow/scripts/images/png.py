"""PNG images in the layout of fastai's mnist_png: training/{class}/{name}.png and testing/{class}/{name}.png.

They lie in a folder or in a .tgz, at its top or one folder down. This module imports no torch and no PIL: the
Snakefile looks at a folder with it.
"""

import hashlib
import lzma
import stat
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from common.errors import UserError, nearest, some
from images.mnist import has_idx

PARTS = {"training": "train", "testing": "test"}
MAX_BYTES = 1 << 20  # of one image: 28 x 28 pixels are less than 1 kB
# Of an archive, in which a few MB can unfold to anything.
MOST_ENTRIES = 1_000_000
MOST_UNPACKED = 4 << 30
# What tarfile, or what unpacks for it, raises of a damaged archive; gzip and bz2 an OSError without a number.
BROKEN = (tarfile.TarError, EOFError, OverflowError, RecursionError, ValueError, lzma.LZMAError, zlib.error)
HEADERS = b"gxXKL"  # types of what stands before an entry
BYTES_AT_ONCE = 1 << 16  # of an archive


class _Entry(tarfile.TarInfo):
    """tarfile reads long names and pax headers at once, whatever their size; here they have a bound."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        entry = super().frombuf(buf, encoding, errors)
        if entry.size > MAX_BYTES and entry.type in HEADERS:
            raise tarfile.ReadError(f"found a header of {entry.size:,} bytes")
        return entry


def each_image(
    source: Path, classes: list[str] | None = None, called: str | None = None
) -> Iterator[tuple[str, str, str, bytes]]:
    """(part, class, name, content) of each image of the classes (None: of all, without content), in no fixed order.

    part is 'train' or 'test'; name is what to call the image in a complaint; called, what to call the source, if not by
    its path. Raises UserError for a source that cannot be read.
    """
    try:
        yield from _in_folder(source, classes) if source.is_dir() else _in_archive(source, classes, called or source)
    except (*BROKEN, OSError) as error:
        if getattr(error, "errno", None):
            raise UserError(f"{error.filename or source}: {error.strerror}") from None
        raise UserError(f"{called or source}: not a whole .tgz file: {error}") from None


def _in_folder(source: Path, classes):
    for path in files(source):
        part, name = PARTS[path.parts[-3]], path.parts[-2]
        _check_file(path)
        if classes is None or name in classes:
            yield part, name, str(path), path.read_bytes() if classes else b""


def _check_file(path: Path) -> None:
    """Raises UserError for what never ends or is none: a pipe, a device, a link to nothing."""
    try:
        found = path.stat()
    except OSError as error:
        what = "a link to nothing" if path.is_symlink() else error.strerror
        raise UserError(f"{path}: found {what}, expected an image file") from None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise UserError(f"{path}: found {what}, expected an image file")
    _check_bytes(str(path), found.st_size)


def _check_bytes(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise UserError(f"{name}: found {size:,} bytes, expected an image of 28 x 28")


def _in_archive(source: Path, classes, called: str | Path):
    with tarfile.open(source, tarinfo=_Entry) as archive:
        for count, member in enumerate(archive):
            archive.members = []  # which tarfile would keep
            if count >= MOST_ENTRIES or member.offset_data + member.size > MOST_UNPACKED:
                most = f"{MOST_ENTRIES:,} entries" if count >= MOST_ENTRIES else f"{MOST_UNPACKED >> 30} GiB"
                raise UserError(f"{called}: found more than {most} in the archive")
            if member.size < 0:  # tarfile would go back, and come here again
                raise tarfile.ReadError(f"found an entry of {member.size:,} bytes")
            path = PurePosixPath(member.name)
            if len(path.parts) < 3 or path.parts[-3] not in PARTS or not _is_png(path):
                continue
            part, name, place = PARTS[path.parts[-3]], path.parts[-2], f"{called}: {member.name}"
            if not member.isfile():
                what = "a folder" if member.isdir() else "a link or device"
                raise UserError(f"{place}: found {what}, expected an image file")
            if classes is None:
                yield part, name, member.name, b""
            elif name in classes:
                _check_bytes(place, member.size)
                yield part, name, place, archive.extractfile(member).read()
        _check_end(archive)


def _check_end(archive: tarfile.TarFile) -> None:
    """Read what is left. tarfile takes a damaged header for the end, where blocks of zeros should be; and the checksum
    of a compressed file stands behind these. Raises ReadError."""
    archive.fileobj.seek(archive.offset)
    zeros = 0
    while rest := archive.fileobj.read(BYTES_AT_ONCE):
        zeros += len(rest)
        if rest.strip(b"\0"):
            raise tarfile.ReadError(f"found no header of an entry, and no end, at byte {archive.offset:,}")
        if archive.offset + zeros > MOST_UNPACKED:
            raise tarfile.ReadError(f"found more than {MOST_UNPACKED >> 30} GiB")
    if zeros < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("it ends without its last blocks")


def files(source: Path) -> list[Path]:
    """Every image of a folder in the layout."""
    root = next((path for path in [source, *sorted(source.iterdir())] if (path / "training").is_dir()), source)
    return [path for part in PARTS for path in sorted(root.glob(f"{part}/*/*")) if _is_png(path)]


def _is_png(path) -> bool:
    return path.suffix.lower() == ".png" and not path.name.startswith(".")


def order(name: str) -> tuple:
    """The key that sorts image names as a person would: 2.png before 10.png."""
    stem = PurePosixPath(name).stem
    return (0, int(stem), name) if stem.isdecimal() else (1, 0, name)


def missing(source: str | Path, part: str, wanted: str, found: dict[str, int]) -> UserError:
    """The complaint about a class without images; found: {class: images} of that part."""
    folder = next(name for name in PARTS if PARTS[name] == part)
    if not found:
        hint = ""
        if Path(source).is_dir() and (idx := has_idx(Path(source))):
            hint = f"; it holds {some(idx)}: name it in data.mirrors, and leave data.source out"
        return UserError(f"data.source: {source}: found no PNG image, expected some under {folder}/{wanted}/{hint}")
    return UserError(
        f"data.source: {source}: found no PNG image under {folder}/{wanted}/, which data.classes asks for"
        f"{nearest(wanted, found)}"
    )


def look_at(source: Path, classes: list[str]) -> None:
    """Raises UserError for a file that is no archive, or a folder without images of a class: what is soon seen."""
    if source.is_dir():
        counts = Counter((part, name) for part, name, _, _ in each_image(source))
        for part in PARTS.values():
            for name in classes:
                if not counts[part, name]:
                    found = {there: count for (at, there), count in counts.items() if at == part}
                    raise missing(source, part, name, found)
        return
    try:
        tarfile.open(source, tarinfo=_Entry).close()
    except (*BROKEN, OSError) as error:
        if getattr(error, "errno", None):
            raise UserError(f"data.source: {source}: cannot be read: {error.strerror}") from None
        raise UserError(f"data.source: {source}: found no .tgz file in it, expected one with PNG images") from None


def fingerprint(source: Path) -> str:
    """What changes with the names, sizes and dates of the images in a folder, or of an archive."""
    found = sorted(files(source)) if source.is_dir() else [source]
    lines = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in found]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()[:10]
