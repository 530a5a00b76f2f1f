"""Mirrors that misbehave: each is left in time, with one warning that says why, and nothing wrong is kept."""

import gzip
import os
from pathlib import Path

import download
import pytest

from builders.digits import md5_of
from builders.mirrors import FAULTS, RIGHT, serving
from builders.needs import needs_shared_mnist
from builders.places import SHARED
from common.errors import UserError
from images.mnist import MNIST_FILES, UNPACKED, verified
from images.mnist import md5_of as md5_sum

SECONDS = 0.3
# What never ends, or not in a day.
SLOW = {"silent", "silent-after-headers", "silent-after-half", "endless-and-slow"}
SLOW |= {"trickle", "trickle-in-headers", "trickle-in-status"}


@pytest.fixture(scope="module")
def server(small_mnist):
    with serving(small_mnist) as url:
        yield url


@pytest.fixture(autouse=True)
def time_is_short_for_what_is_slow_alone(monkeypatch):
    """What sends all at once may take long on a busy machine."""
    get = download.get_verified

    def patient(mirror: str, name: str, timeout: float, md5: str) -> bytes:
        fault = mirror.rstrip("/").rpartition("/")[2]
        return get(mirror, name, timeout if fault in SLOW or fault not in FAULTS else 60, md5)

    monkeypatch.setattr(download, "get_verified", patient)


def get_all(mirrors, small_mnist, folder, md5=None):
    return download.download(mirrors, md5 or md5_of(small_mnist), SECONDS, folder)


@pytest.fixture(scope="module")
def md5_unpacked(small_mnist):
    return {file: md5_sum(gzip.decompress((small_mnist / file).read_bytes())) for file in MNIST_FILES}


@pytest.mark.parametrize("fault", FAULTS)
def test_mirror_is_left_with_one_warning_or_gives_what_is_right(
    server, small_mnist, md5_unpacked, tmp_path, capfd, fault
):
    bad, good = f"{server}/{fault}/", f"{server}/good"
    md5 = md5_unpacked if fault in ("unpacked", "packed-anew") else None
    origins, failures = get_all([bad, good], small_mnist, tmp_path, md5)
    assert set(origins) == set(MNIST_FILES)
    assert {name: gzip.decompress((tmp_path / name).read_bytes()) for name in MNIST_FILES} == {
        name: gzip.decompress((small_mnist / name).read_bytes()) for name in MNIST_FILES
    }
    said = capfd.readouterr().err.splitlines()
    if fault in RIGHT:
        assert (set(origins.values()), failures, said) == ({bad}, {}, [])
    else:
        assert set(origins.values()) == {good}
        assert said == [f"warning: mirror {bad} left: {failures[bad]}"]
        assert failures[bad].startswith(MNIST_FILES[0])
        assert len(failures[bad]) < 300
        assert ("too slow" in failures[bad]) == (fault in SLOW)


@pytest.mark.parametrize(
    ("fault", "words"),
    {
        "html": "is not what data.md5 says: found an HTML page (75 bytes, MD5 ",
        "html-bom": "found an HTML page",
        "xml": "found an HTML page",
        "html-packed": "found a gzip file of something else",
        "empty": "found nothing (0 bytes",
        "bomb": "found a gzip file of something else",
        "flipped": "found a damaged gzip file",
        "halved": "found a damaged gzip file",
        "zip": "found a zip archive",
        "text": "found something else",
        "other-data": "found an IDX file of 400 x 28 x 28 with other content, which data.md5 must name",
        "other-data-unpacked": "found an IDX file of 400 x 28 x 28 with other content",
        "unpacked-halved": "found something else",
        "status-404": "HTTP status 404",
        "silent": "too slow: less than 64 kB in 0.3 s",
        "trickle": "too slow: less than 64 kB in 0.3 s",
        "trickle-in-headers": "too slow: not whole after 6 s, 20 times data.timeout",
        "endless-and-slow": "too slow: not whole after 6 s, 20 times data.timeout",
        "endless": "is too large: found more bytes, expected at most 67,108,864",
        "length-of-terabytes": "is too large: found 9,999,999,999,999 bytes, expected at most 67,108,864",
        "length-too-long": "truncated",
    }.items(),
)
def test_warning_says_what_was_found(server, small_mnist, tmp_path, fault, words):
    _, failures = get_all([f"{server}/{fault}"], small_mnist, tmp_path)
    assert words in failures[f"{server}/{fault}"]


@pytest.mark.parametrize(
    "mirror",
    [
        "http://[::1/",
        "http://[::1]:x/",
        "http:///",
        "http://",
        "://",
        "x://y/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:9/",
        "http://127.0.0.1:0/",
        "http://no-such-host.invalid/",
        "http://" + "a" * 300 + ".invalid/",
        "http://a..b/",
        "http://\u00e9\u00e9.invalid/\u2603",
        "http://127.0.0.1:9/a b/\x7f",
        "file:///no/such/folder",
        "data://text/plain,x",
        "no/such/folder",
        "~no-such-user/mnist",
        "\0",
        "/dev/null",
        "/proc/self",
        "x" * 5000,
    ],
)
def test_mirror_that_is_none_is_left_with_one_warning(small_mnist, tmp_path, capfd, mirror):
    origins, failures = get_all([mirror, str(small_mnist)], small_mnist, tmp_path)
    assert set(origins.values()) == {str(small_mnist)}
    assert failures[mirror].startswith(MNIST_FILES[0])
    assert len(capfd.readouterr().err.splitlines()) == 1


def renamed(small_mnist: Path, folder: Path, name, content=lambda packed: packed) -> Path:
    folder.mkdir()
    for file in MNIST_FILES:
        (folder / name(file)).write_bytes(content((small_mnist / file).read_bytes()))
    return folder


@pytest.mark.parametrize(
    "name",
    [
        lambda file: file.removesuffix(".gz"),
        lambda file: file.removesuffix(".gz").replace("-idx", ".idx"),
        lambda file: file.removesuffix(".gz").upper(),
        lambda file: file,
    ],
)
def test_folder_of_unpacked_or_differently_named_files_is_read(small_mnist, md5_unpacked, tmp_path, name):
    folder = renamed(small_mnist, tmp_path / "there", name, gzip.decompress)
    origins, failures = get_all([str(folder)], small_mnist, tmp_path / "raw", md5_unpacked)
    assert (set(origins.values()), failures) == ({str(folder)}, {})
    assert set(get_all(["no/such"], small_mnist, tmp_path / "raw", md5_unpacked)[0].values()) == {download.KEPT}


def test_folder_without_the_files_tells_what_lies_there(small_mnist, tmp_path):
    folder = renamed(small_mnist, tmp_path / "there", lambda file: f"emnist-{file}")
    _, failures = get_all([str(folder)], small_mnist, tmp_path / "raw")
    assert failures[str(folder)].startswith(
        f"{MNIST_FILES[0]}: not in the folder, which holds emnist-{sorted(MNIST_FILES)[0]}, "
    )


@pytest.mark.parametrize("kind", ["fifo", "folder", "endless", "closed"])
def test_file_of_another_kind_in_a_folder_is_left(small_mnist, tmp_path, kind):
    folder = tmp_path / "there"
    folder.mkdir()
    path = folder / MNIST_FILES[0]
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"endless": "/dev/zero", "closed": path}[kind])
    _, failures = get_all([str(folder)], small_mnist, tmp_path / "raw")
    assert failures[str(folder)].startswith(MNIST_FILES[0])


@needs_shared_mnist
def test_mnist_is_right_whoever_packed_it():
    for name, (packed, unpacked) in zip(MNIST_FILES, UNPACKED.items(), strict=True):
        content = (SHARED / "mnist" / name).read_bytes()
        plain = gzip.decompress(content)
        assert (md5_sum(content), md5_sum(plain)) == (packed, unpacked)
        for other in (content, plain, gzip.compress(plain, 1, mtime=5)) if "labels" in name else (content,):
            assert gzip.decompress(verified(name, other, packed)) == plain
        with pytest.raises(UserError):
            verified(name, content[:-1], packed)
