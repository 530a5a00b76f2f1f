"""The download rule's functions, against a real HTTP server that misbehaves."""

import gzip
import threading
import time
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import download
import pytest
from conftest import md5_of

from common.errors import UserError
from common.files import read_json

NAMES = download.FILES


class Mirror(BaseHTTPRequestHandler):
    """Serves a folder under /good/, and the same files in a broken way under the name of the fault."""

    def __init__(self, folder, stop, *arguments):
        self.folder, self.stop = folder, stop
        super().__init__(*arguments)

    def do_GET(self):
        _, fault, name = self.path.split("/")
        content = (self.folder / name).read_bytes()
        if fault == "missing":
            return self.send_error(404)
        if fault == "broken":
            return self.send_error(503)
        if fault == "silent":
            return self.stop.wait(20)
        if fault == "corrupt":
            content = content[:-5] + b"\0" + content[-4:]
        if fault == "page":
            content = b"<html>please log in</html>"
        self.send_response(200)
        if fault != "unsized":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault in ("truncated", "unsized"):
            content = content[: len(content) // 2]
        if fault == "trickle":
            with suppress(BrokenPipeError, ConnectionResetError):
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    if self.stop.wait(0.05):
                        break
            return None
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(content)
        return None

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server(small_mnist):
    stop = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, small_mnist, stop))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    stop.set()
    server.shutdown()
    server.server_close()


def fetch_all(mirrors, small_mnist, folder, **options):
    settings = {"source": "mnist", "mirrors": mirrors, "md5": md5_of(small_mnist), "fallback": "none", "timeout": 0.5}
    download.main(**settings | options, folder=folder / "raw", record=folder / "source.json")
    return read_json(folder / "source.json")


FAULTS = {
    "missing": "HTTP status 404",
    "broken": "HTTP status 503",
    "silent": "too slow",
    "trickle": "too slow",
    "truncated": "is truncated",
    "unsized": "is corrupt: MD5",
    "corrupt": "is corrupt: MD5",
    "page": "is corrupt: MD5",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_mirror_is_left_for_the_next_with_one_warning(server, small_mnist, tmp_path, capsys, fault):
    start = time.monotonic()
    record = fetch_all([f"{server}/{fault}/", f"{server}/good"], small_mnist, tmp_path)
    assert time.monotonic() - start < 5
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1
    assert f"{server}/{fault}/ left" in warnings[0]
    assert FAULTS[fault] in warnings[0]
    assert md5_of(tmp_path / "raw") == md5_of(small_mnist)
    assert {file["origin"] for file in record["files"].values()} == {f"{server}/good"}
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == sorted(NAMES)


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
        fetch_all([f"{server}/missing", f"{server}/corrupt"], small_mnist, tmp_path)
    assert f"{server}/missing: {NAMES[0]}: HTTP status 404" in str(error.value)
    assert f"{server}/corrupt: {NAMES[0]} is corrupt" in str(error.value)
    assert not (tmp_path / "source.json").exists()
    assert not list((tmp_path / "raw").glob("*"))


def test_fallback_is_loud_and_says_how_to_retry(server, small_mnist, tmp_path, capsys):
    record = fetch_all([f"{server}/missing"], small_mnist, tmp_path, fallback="sample")
    said = capsys.readouterr().err
    assert "NO MIRROR ANSWERED" in said
    assert record["retry"] in said
    assert record["fallback"] is True
    assert record["failed_mirrors"] == {f"{server}/missing": f"{NAMES[0]}: HTTP status 404 Not Found"}
    assert record["counts"]["train"]["0"] == 400
    assert record["counts"]["test"]["1"] == 100


def test_sample_is_the_same_bytes_each_time(tmp_path):
    for name in ("a", "b"):
        download.write_sample(tmp_path / name)
    assert md5_of(tmp_path / "a") == md5_of(tmp_path / "b")
    assert len(gzip.decompress((tmp_path / "a" / NAMES[0]).read_bytes())) == 16 + 4000 * 784
