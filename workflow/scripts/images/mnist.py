"""The four files of MNIST, and what else may come under their names: held against checksums, told by what it is.

No torch and no PIL here.
"""

import gzip
import hashlib
import re
import struct
import zlib
from io import BytesIO
from math import prod
from pathlib import Path

from common.errors import UserError, some
from images.fetch import fetch, read_local

MNIST_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
IDX_PARTS = {"train": "train", "test": "t10k"}
GZIP = b"\x1f\x8b"
MOST = 64 << 20  # bytes of one of them: MNIST's largest has 10 MB, 47 MB unpacked
# MD5 sums of the unpacked files by those of the .gz, whose bytes depend on who packed them.
UNPACKED = {
    "f68b3c2dcbeaaa9fbdd348bbdeb94873": "6bbc9ace898e44ae57da46a324031adb",
    "d53e105ee54ea40749a09fcbcd1e9432": "a25bea736e30d166cdddb491f175f624",
    "9fb629c4189551a2d022fa330f9573f3": "2646ac647ad5339dbf082846283269ea",
    "ec29112dd5afa0611ce80d1b7f02629c": "27ae3e4e09519cfbb04c329615203637",
}
KNOWN = {b"PK": "a zip archive", b"7z": "a 7z archive", b"BZ": "a bzip2 file", b"\xfd7": "an xz file"}


def get_verified(mirror: str, name: str, timeout: float, md5: str) -> bytes:
    """One of MNIST_FILES, gzipped and right, from a mirror: a URL or a local folder. Raises UserError."""
    if "://" in mirror:
        return verified(name, fetch(mirror, name, timeout, MOST), md5)
    return verified(name, read_local(_beside(mirror, name), name, MOST), md5)


def verified(name: str, content: bytes, md5: str) -> bytes:
    """`content` as a .gz, if it is what the checksum is of: packed, unpacked or packed anew. Raises UserError."""
    wanted, found = (md5, UNPACKED.get(md5)), content
    if md5_of(found) not in wanted:
        found = _unpacked(content)
        if md5_of(found) not in wanted:
            raise UserError(f"{name} is not what data.md5 says: found {_what(content, found)}, expected MD5 {md5}")
    return found if found.startswith(GZIP) else gzip.compress(found, mtime=0)


def md5_of(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _unpacked(content: bytes) -> bytes:
    """What is in a gzip file, no more than a byte beyond MOST; what is not packed at all; nothing if it is damaged."""
    if not content.startswith(GZIP):
        return content
    try:
        with gzip.open(BytesIO(content)) as file:
            return file.read(MOST + 1)
    except (EOFError, OSError, zlib.error):
        return b""


def _what(content: bytes, unpacked: bytes) -> str:
    """What came in place of a file, in words."""
    facts = f"{len(content):,} bytes, MD5 {md5_of(content)}"
    if shape := _shape(unpacked):
        of = " x ".join(f"{length:,}" for length in shape)
        return f"an IDX file of {of} with other content, which data.md5 must name if it is to be used ({facts})"
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content:
        kind = "nothing"
    elif re.match(rb"<(!doctype html|html|head|body|\?xml|!--)", start):
        kind = "an HTML page"
    elif content.startswith(GZIP):
        kind = "a gzip file of something else" if unpacked else "a damaged gzip file"
    else:
        kind = KNOWN.get(content[:2], "something else")
    return f"{kind} ({facts})"


def _shape(content: bytes) -> tuple:
    """Of a whole IDX file of bytes; () if it is none."""
    if len(content) < 4 or content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        return ()
    shape = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
    return shape if len(content) == 4 + 4 * content[3] + prod(shape) else ()


def _beside(mirror: str, name: str) -> Path:
    """The file of that name in a folder; else one that is called as it often is, unpacked or with a dot."""
    try:
        folder = Path(mirror).expanduser()
        if (folder / name).exists():
            return folder / name
        there = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise UserError(f"{name}: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:  # no such user, a zero byte
        raise UserError(f"{name}: {error}") from None
    alike = [other for other in there if _plain(other) == _plain(name)]
    if not alike:
        raise UserError(f"{name}: not in the folder, which holds {some(there) or 'nothing'}")
    return folder / alike[0]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\.gz$", "", name.lower()))


def has_idx(folder: Path) -> list[str]:
    """The names in a folder that are those of MNIST_FILES, packed or not."""
    return sorted(path.name for path in folder.iterdir() if _plain(path.name) in map(_plain, MNIST_FILES))
