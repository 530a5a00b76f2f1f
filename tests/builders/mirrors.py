"""A real HTTP server that misbehaves: /{fault}/{name} gives a file of a folder in one of many broken ways."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from builders.waiting import LONG
from images.mnist import MNIST_FILES

HTML = b"<!DOCTYPE html><html><title>Log in</title><body>please log in</body></html>"
STATUSES = [
    201,
    204,
    206,
    304,
    400,
    401,
    403,
    404,
    405,
    407,
    408,
    410,
    418,
    421,
    429,
    451,
    500,
    501,
    502,
    503,
    504,
    599,
]

# What is sent as the body, made of the right content.
BODIES = {
    "good": lambda right: right,
    "empty": lambda right: b"",
    "one-byte": lambda right: right[:1],
    "halved": lambda right: right[: len(right) // 2],
    "without-the-end": lambda right: right[:-1],
    "longer": lambda right: right + b"\0",
    "twice": lambda right: right + right,
    "flipped": lambda right: right[:-5] + bytes([right[-5] ^ 1]) + right[-4:],
    "flipped-header": lambda right: b"\0" + right[1:],
    "html": lambda right: HTML,
    "html-old": lambda right: b"\r\n  <HTML><BODY>captive portal</BODY></HTML>",
    "html-bom": lambda right: b"\xef\xbb\xbf" + HTML,
    "html-packed": lambda right: gzip.compress(HTML),
    "xml": lambda right: b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "json": lambda right: json.dumps({"error": "not found"}).encode(),
    "text": lambda right: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9912422\n",
    "zip": lambda right: b"PK\x03\x04" + right,
    "7z": lambda right: b"7z\xbc\xaf" + right,
    "other-data": lambda right: gzip.compress(_other(gzip.decompress(right))),
    "other-data-unpacked": lambda right: _other(gzip.decompress(right)),
    "bomb": lambda right: gzip.compress(bytes(100 << 20), 1),
    "unpacked-halved": lambda right: gzip.decompress(right)[:-10],
    "zeros": lambda right: bytes(len(right)),
    # What is right after all.
    "unpacked": gzip.decompress,
    "packed-twice": gzip.compress,
    "packed-anew": lambda right: gzip.compress(gzip.decompress(right), 1, mtime=1),
}


def _other(idx: bytes) -> bytes:
    return idx[:-1] + bytes([idx[-1] ^ 1])


class Mirror(BaseHTTPRequestHandler):
    def __init__(self, folder: Path, stop: threading.Event, *arguments):
        self.folder, self.stop = folder, stop
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        fault, name = self.path.split("/")[1:3]
        with suppress(BrokenPipeError, ConnectionResetError):
            self.answer(fault, (self.folder / name).read_bytes())

    def answer(self, fault: str, right: bytes) -> None:
        if fault in BODIES:
            self.send(BODIES[fault](right))
        elif fault.startswith("held-at-"):
            is_there = list(MNIST_FILES).index(self.path.rpartition("/")[2]) < int(fault.removeprefix("held-at-"))
            self.send(right) if is_there else self.silent_after_half(right)
        elif fault.startswith("status-"):
            self.send(HTML, status=int(fault.removeprefix("status-")))
        elif hasattr(self, fault.replace("-", "_")):
            getattr(self, fault.replace("-", "_"))(right)
        else:
            self.raw(RAW[fault](right))

    def send(self, body: bytes, status: int = 200, headers: dict | None = None) -> None:
        self.send_response(status)
        for header, value in ({"Content-Length": len(body)} | (headers or {})).items():
            if value is not None:
                self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    def raw(self, answer: bytes) -> None:
        self.wfile.write(answer)
        self.wfile.flush()

    def silent(self, right):
        self.stop.wait(60)

    def silent_after_headers(self, right):
        self.send(b"", headers={"Content-Length": len(right)})
        self.stop.wait(60)

    def silent_after_half(self, right):
        self.send(right[: len(right) // 2], headers={"Content-Length": len(right)})
        self.stop.wait(LONG)

    def trickle(self, right):
        self.send(b"", headers={"Content-Length": len(right)})
        self.drip(right[place : place + 1] for place in range(len(right)))

    def trickle_in_headers(self, right):
        self.raw(b"HTTP/1.1 200 OK\r\n")
        self.drip(b"X" for _ in range(10_000))

    def trickle_in_status(self, right):
        self.drip(b"H" for _ in range(10_000))

    def endless(self, right):
        self.send(b"", headers={"Content-Length": None})
        while not self.stop.is_set():
            self.wfile.write(bytes(1 << 16))

    def endless_chunks(self, right):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not self.stop.is_set():
            self.wfile.write(b"10000\r\n" + bytes(1 << 16) + b"\r\n")

    def endless_and_slow(self, right):
        """Just fast enough for what it must send in each time-out."""
        self.send(b"", headers={"Content-Length": None})
        self.drip(bytes(1 << 15) for _ in range(10_000))

    def redirect_to_itself(self, right):
        self.send(b"", status=302, headers={"Location": self.path})

    def redirect_to_good(self, right):
        self.send(b"", status=301, headers={"Location": self.path.replace("redirect-to-good", "good")})

    def redirect_to_html(self, right):
        self.send(b"", status=307, headers={"Location": self.path.replace("redirect-to-html", "html")})

    def redirect_to_nowhere(self, right):
        self.send(b"", status=302, headers={"Location": None})

    def redirect_to_noise(self, right):
        self.send(b"", status=302, headers={"Location": "http://[::1/"})

    def redirect_to_file(self, right):
        self.send(b"", status=302, headers={"Location": "file:///etc/hostname"})

    def drip(self, pieces):
        for piece in pieces:
            self.raw(piece)
            if self.stop.wait(0.05):
                break


# What is sent in place of a whole answer.
RAW = {
    "nothing": lambda right: b"",
    "noise": lambda right: bytes(range(256)) * 4,
    "no-http": lambda right: b"220 ftp.example.com ready\r\n",
    "no-status": lambda right: b"HTTP/1.1\r\n\r\n",
    "letters-as-status": lambda right: b"HTTP/1.1 abc OK\r\n\r\n",
    "large-status": lambda right: b"HTTP/1.1 99999 OK\r\n\r\n",
    "headers-cut-off": lambda right: b"HTTP/1.1 200 OK\r\nContent-Le",
    "long-header": lambda right: b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n",
    "many-headers": lambda right: b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000 + b"\r\n",
    "length-of-letters": lambda right: b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n" + right[:-9],
    "length-negative": lambda right: b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + right[:-9],
    "length-too-short": lambda right: b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + right,
    "length-too-long": lambda right: b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + right,
    "length-of-terabytes": lambda right: b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n" + right,
    "length-of-400-digits": lambda right: b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\n" + right,
    "no-length": lambda right: b"HTTP/1.1 200 OK\r\n\r\n" + right[: len(right) // 2],
    "chunks-cut-off": lambda right: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n" + right[:99],
    "chunks-of-noise": lambda right: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" + right[:99],
}
METHODS = {name.replace("_", "-") for name in vars(Mirror) if name not in ("do_GET", "answer", "send", "raw", "drip")}
FAULTS = [*BODIES, *RAW, *sorted(name for name in METHODS if not name.startswith(("-", "log"))), "endless"]
FAULTS = [*dict.fromkeys(FAULTS), *(f"status-{status}" for status in STATUSES)]
RIGHT = {"good", "unpacked", "packed-anew", "packed-twice", "redirect-to-good", "length-of-400-digits"}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The URL of such a server of the files in `folder`; it stops at the end."""
    stop = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, folder, stop))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
