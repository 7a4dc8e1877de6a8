"""Assets that Touchstone may not ship: where they live once imported, and how they are read from what the user names.

Nothing is unpacked to the disk: the wanted files are read by their names, wherever they lie, within `SIZE_LIMIT`.
"""

from __future__ import annotations

import gzip
import http.client
import io
import os
import re
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from touchstone.errors import UsageError

#: the most bytes that a download, or all that is read from it once unpacked, may have
SIZE_LIMIT = 50_000_000
#: the longest that a server may say nothing, and that one download may take [s]
SILENCE_S = 15.0
DOWNLOAD_S = 120.0
PIECE = 1 << 16


def assets_folder() -> Path:
    """`$TOUCHSTONE_ASSETS`, else `touchstone` under `$XDG_DATA_HOME` (`~/.local/share`); it need not exist."""
    own = os.environ.get("TOUCHSTONE_ASSETS")
    if own:
        return _home_filled_in(own)
    return _home_filled_in(os.environ.get("XDG_DATA_HOME") or "~/.local/share") / "touchstone"


def read_files(source: str, names: Sequence[str]) -> dict[str, bytes]:
    """The files called one of `names` that `source` has, by name.

    source: a folder, a .zip or .tar.gz, or one of the files itself (the others are then looked for beside it), on this
    machine or at an http(s) address. Raises UsageError when it cannot be read, is too big, or is something else.
    """
    if "://" in source:
        return _from_address(source, names)
    path = _home_filled_in(source)
    try:
        if source and path.is_dir():
            return _from_folder(path, names)
        if path.is_file():
            return _from_file(path.name, _read(path), source, names, lambda name: _read_if_there(path.with_name(name)))
    except OSError as error:
        raise UsageError(f"{source} cannot be read ({error.strerror or error}); check the path.") from error
    raise UsageError(f"'{source}' is neither a file nor a folder; check the path.")


def shown(source: str) -> str:
    """`source` as it may be printed and stored: an address without its user, password, query and fragment."""
    if "://" not in source:
        return source
    parts = _parts(source)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class _Basket:
    """The wanted files found so far."""

    def __init__(self, where: str):
        self._where = where
        self._room = SIZE_LIMIT
        self.files: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> None:
        if self.files.setdefault(name, data) != data:
            raise UsageError(f"{self._where} has several different files {name}; name the one folder that is meant.")
        self._room -= len(data)
        if self._room < 0:
            raise _too_big(self._where)


class _Bounded:
    """A stream that ends in UsageError when more than SIZE_LIMIT bytes come out of it."""

    def __init__(self, stream, where: str):
        self._stream = stream
        self._where = where
        self._room = SIZE_LIMIT

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._room -= len(data)
        if self._room < 0:
            raise _too_big(self._where)
        return data


def _from_folder(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    basket = _Basket(str(folder))
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(set(names) & set(files)):
            data = _read_if_there(Path(place, name))
            if data is not None:
                basket.put(name, data)
    return basket.files


def _from_address(url: str, names: Sequence[str]) -> dict[str, bytes]:
    parts = _parts(url)
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"{shown(url)} is not an http(s) address; name a file, a folder or an http(s) address.")
    folder, _, name = parts.path.rpartition("/")
    data = _download(url)
    if data is None:
        raise UsageError(f"{shown(url)} is not there (404); check the address.")

    def beside(other: str) -> bytes | None:
        return _download(urlunsplit(parts._replace(path=f"{folder}/{other}")))

    return _from_file(unquote(name), data, shown(url), names, beside)


def _from_file(
    name: str, data: bytes, where: str, names: Sequence[str], beside: Callable[[str], bytes | None]
) -> dict[str, bytes]:
    # the first bytes tell an archive, since an address need not end in .zip
    if data.startswith(b"PK"):
        return _unpacked(_from_zip, data, where, names)
    if data.startswith(b"\x1f\x8b"):
        return _unpacked(_from_tar, data, where, names)
    if name not in names:
        raise UsageError(f"{where} is neither a folder, a .zip, a .tar.gz nor a file called {' or '.join(names)}.")
    basket = _Basket(where)
    for other in names:
        found = data if other == name else beside(other)
        if found is not None:
            basket.put(other, found)
    return basket.files


def _unpacked(read: Callable, data: bytes, where: str, names: Sequence[str]) -> dict[str, bytes]:
    try:
        return read(data, where, names)
    # RuntimeError: encrypted, or headers nested without end
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"{where} cannot be unpacked ({_line(error)}); get the archive again.") from error


def _from_zip(data: bytes, where: str, names: Sequence[str]) -> dict[str, bytes]:
    basket = _Basket(where)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            name = _last(member.filename)
            if name not in names or member.is_dir():
                continue
            # the other methods cannot be bounded while they unpack
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise UsageError(f"{where} packs {name} with a method other than deflate; pack it with plain zip.")
            if member.file_size > SIZE_LIMIT:
                raise _too_big(where)
            with archive.open(member) as stream:
                basket.put(name, stream.read(SIZE_LIMIT + 1))
    return basket.files


def _from_tar(data: bytes, where: str, names: Sequence[str]) -> dict[str, bytes]:
    basket = _Basket(where)
    stream = _Bounded(gzip.GzipFile(fileobj=io.BytesIO(data)), where)
    with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
        for member in archive:
            name = _last(member.name)
            if name not in names or not member.isfile():
                continue
            # a sparse file is bigger than the bytes that it takes in the stream
            if member.size > SIZE_LIMIT:
                raise _too_big(where)
            basket.put(name, archive.extractfile(member).read())  # type: ignore[union-attr]
    # gzip checks its sum at the very end
    while stream.read(PIECE):
        pass
    return basket.files


def _download(url: str) -> bytes | None:
    """What lies at `url`; None when the server says 404. Raises UsageError for everything else that goes wrong."""
    where, until = shown(url), time.monotonic() + DOWNLOAD_S
    try:
        with _opener().open(url, timeout=SILENCE_S) as response:
            pieces, size = [], 0
            while piece := response.read1(PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > SIZE_LIMIT:
                    raise _too_big(where)
                if time.monotonic() > until:
                    raise UsageError(f"{where} did not arrive within {DOWNLOAD_S:g} s; download it yourself.")
            if response.length:
                raise UsageError(f"{where} broke off {response.length} bytes before its end; try again.")
            return b"".join(pieces)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.NOT_FOUND:
            return None
        raise UsageError(f"{where} answers {error.code} ({_line(error.reason)}); check the address.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = _line(getattr(error, "reason", None) or error)
        raise UsageError(f"{where} cannot be downloaded ({why}); check the address and the network.") from error


def _opener() -> urllib.request.OpenerDirector:
    # http and https only: the standard opener would follow a redirection to ftp too
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _parts(url: str):
    try:
        return urlsplit(url)
    except ValueError as error:
        raise UsageError(f"'{url}' is not an address ({_line(error)}).") from error


def _home_filled_in(path: str) -> Path:
    # Path.expanduser raises for a user that does not exist
    return Path(os.path.expanduser(path))


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise _too_big(str(path))
    return data


def _read_if_there(path: Path) -> bytes | None:
    return _read(path) if path.is_file() else None


def _last(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def _line(error: object) -> str:
    # short and printable, since a server or an archive may have chosen the words
    text = "".join(part if part.isprintable() else " " for part in str(error)[:200])
    return " ".join(text.split()) or type(error).__name__


def _too_big(where: str) -> UsageError:
    return UsageError(f"{where} has more than {SIZE_LIMIT // 1_000_000} MB; name only the files that are wanted.")
