"""The sealed file of a session: hidden parameters that nobody reads by accident, with a digest against changes.

Sealed is not secret: who means to look can. The digest stands in session.json from the first start on.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from touchstone.data.disk import replace_whole
from touchstone.errors import UsageError

SEALED = "shadow.sealed"
_HEADER = b"touchstone sealed 1: hidden parameters; open with `touchstone unseal DIR`, and only to grade\n"


def seal(folder: Path, data: dict[str, Any]) -> str:
    """Writes `data` (JSON-able) into the session folder; returns the SHA-256 of the file."""
    text = json.dumps(data, sort_keys=True).encode()
    whole = _HEADER + base64.encodebytes(zlib.compress(text, 9))
    replace_whole(folder / SEALED, whole)
    return hashlib.sha256(whole).hexdigest()


def unseal(folder: Path, digest: str | None) -> dict[str, Any]:
    """What was sealed. Raises UsageError if the folder has no sealed file or it is not the one of `digest`."""
    path = folder / SEALED
    if not path.is_file():
        raise UsageError(f"{folder} has no sealed file ({SEALED}); only sessions in a shadow have one.")
    whole = path.read_bytes()
    if hashlib.sha256(whole).hexdigest() != digest or not whole.startswith(_HEADER):
        raise UsageError(f"{path} is not the file that was sealed when the session started; restore it.")
    return json.loads(zlib.decompress(base64.decodebytes(whole[len(_HEADER) :])))
