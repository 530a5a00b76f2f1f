"""A file from a server or a local folder, whatever either of them does: in bounded time and memory, or not at all.

No torch and no PIL here.
"""

import http.client
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from common.errors import ERASE, UserError

LEAST_BYTES = 1 << 16  # in each timeout; they are read at once
TIMEOUTS = 20  # that a file may take: 5 minutes with the default of 15 s


def fetch(place: str, name: str, timeout: float, most: int) -> bytes:
    """The content of one file of a place, a URL or a local folder. Raises UserError where it can not be had.

    timeout: seconds in which a server must answer, and in each of which it must send at least LEAST_BYTES; TIMEOUTS of
    them in which it must have sent all. most: bytes; what is larger is refused.
    """
    if "://" not in place:
        return read_local(Path(place) / name, name, most)
    result: list = []

    def work():
        try:
            result.append(_fetch(place, name, timeout, most))
        except BaseException as error:  # raised below, in the thread that asked
            result.append(error)

    # A thread that is left behind where it hangs: no limit of urllib's own bounds the lookup of a name, or headers that
    # trickle in.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join((TIMEOUTS + 2) * timeout)
    if not result:
        raise _too_long(name, timeout)
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def read_local(path: Path, name: str, most: int) -> bytes:
    """The content of a file on this machine. Raises UserError where it is none, larger or cannot be read."""
    try:
        path = path.expanduser()
        if path.exists() and not path.is_file():  # a pipe, say, from which nothing may ever come
            raise UserError(f"{name}: found {'a folder' if path.is_dir() else 'no regular file'}, expected a file")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise UserError(f"{name}: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:  # no such user, a zero byte
        raise UserError(f"{name}: {error}") from None
    if len(content) > most:
        raise _too_large(name, path.stat().st_size, most)
    return content


def _fetch(place: str, name: str, timeout: float, most: int) -> bytes:
    end = time.monotonic() + TIMEOUTS * timeout
    try:
        # Quoted as a browser would; what is quoted already stays.
        url = urllib.parse.quote(f"{place.rstrip('/')}/{name}", safe="%/:=&?~#+!$,;'@()*[]")
        # Some servers refuse Python's own name.
        request = urllib.request.Request(url, headers={"User-Agent": "mnist01"})
        with urllib.request.urlopen(request, timeout=timeout) as response:
            told = response.headers.get("Content-Length") or ""
            size = int(told) if told.isdecimal() and len(told) < 20 else 0
            if size > most:
                raise _too_large(name, size, most)
            content = _read(response, name, size, timeout, end, most)
    except urllib.error.HTTPError as error:
        raise UserError(f"{name}: HTTP status {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise UserError(f"{name}: {_reason(error.reason, timeout)}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UserError(f"{name}: {_reason(error, timeout)}") from None
    if size and len(content) != size:
        raise UserError(f"{name} is truncated: {len(content)} of {size} bytes")
    return content


def _read(response, name: str, size: int, timeout: float, end: float, most: int) -> bytes:
    content = bytearray()
    window_end, window_start = time.monotonic() + timeout, 0
    show = sys.stderr.isatty()
    try:
        while chunk := response.read1(LEAST_BYTES):
            content += chunk
            if len(content) > most:
                raise _too_large(name, size, most)
            if time.monotonic() > end:
                raise _too_long(name, timeout)
            if show:
                of = f" of {size / 1e6:.1f}" if size else ""
                print(f"\r{name}  {len(content) / 1e6:.1f}{of} MB ", end="", file=sys.stderr, flush=True)
            if time.monotonic() > window_end:
                if len(content) - window_start < LEAST_BYTES:
                    raise TimeoutError
                window_end, window_start = time.monotonic() + timeout, len(content)
    finally:
        if show:
            print(ERASE, end="", file=sys.stderr, flush=True)
    return bytes(content)


def _too_large(name: str, size: int, most: int) -> UserError:
    found = f"{size:,}" if size > most else "more"
    return UserError(f"{name} is too large: found {found} bytes, expected at most {most:,}")


def _too_long(name: str, timeout: float) -> UserError:
    return UserError(f"{name}: too slow: not whole after {TIMEOUTS * timeout:g} s, {TIMEOUTS} times data.timeout")


def _reason(error, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"too slow: less than {LEAST_BYTES // 1024} kB in {timeout:g} s"
    if isinstance(error, http.client.IncompleteRead):
        return f"truncated: {len(error.partial)} bytes, {error.expected} more expected"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
