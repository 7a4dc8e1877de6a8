"""A page on this machine that shows one question at a time and takes one answer."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

import cv2
import numpy as np

from touchstone.errors import UsageError

HOST = "127.0.0.1"
PORT = 8765
JPEG_QUALITY = 85
LONGEST_ANSWER = 1000  # bytes


@dataclass(frozen=True)
class Button:
    """An answer. key: on the keyboard. enabled: whether it can be given now."""

    answer: str
    text: str
    key: str
    enabled: bool = True


@dataclass(frozen=True)
class Row:
    """A thing to place. picture: its URL. good: whether it lies where it shall."""

    picture: str
    text: str
    state: str
    good: bool


class PageServer:
    """Serves until `close`. port: 0 for any free one. Raises UsageError when the port is taken.

    Loopback only; an answer must carry the token that is in the page's address, so that no other page can give one.
    """

    def __init__(self, port: int = PORT) -> None:
        self._token = secrets.token_urlsafe(12)
        self._lock = threading.Lock()
        self._state: dict = {"number": 0, "title": "", "text": "Starting.", "rows": [], "buttons": [], "picture": 0}
        self._jpeg = b""
        self._answers: SimpleQueue[tuple[int, str]] = SimpleQueue()
        page = files(__package__).joinpath("page.html").read_text()
        try:
            self._http = ThreadingHTTPServer((HOST, port), _handler(self, page))
        except OSError as error:
            raise UsageError(
                f"The operator's page cannot be served on port {port} ({error.strerror}); choose another with "
                "--operator-port."
            ) from error
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, name="bench-page", daemon=True).start()

    @property
    def url(self) -> str:
        """What the person opens."""
        return f"http://{HOST}:{self._http.server_port}/?{self._token}"

    def show(self, title: str, text: str, rows: tuple[Row, ...] = (), buttons: tuple[Button, ...] = ()) -> None:
        """Shows this from now on. A question that differs in its buttons' meaning is another: answers to the one
        before no longer count."""
        asked = {"title": title, "text": text, "rows": [asdict(row) for row in rows]}
        new = [asdict(button) for button in buttons]
        with self._lock:
            same = self._state["title"] == title and _meaning(self._state["buttons"]) == _meaning(new)
            number = self._state["number"] + (0 if same else 1)
            self._state = {**self._state, **asked, "buttons": new, "number": number}

    def picture(self, image: np.ndarray) -> None:
        """The picture [H,W,3] uint8 RGB that the page shows from now on."""
        _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        with self._lock:
            self._jpeg = data.tobytes()
            self._state["picture"] += 1

    def answer(self, timeout_s: float | None = None) -> str | None:
        """The answer to what is shown; None when none came in time."""
        while True:
            try:
                # in short waits, so that Ctrl-C is heard
                number, said = self._answers.get(timeout=timeout_s or 0.2)
            except Empty:
                if timeout_s is None:
                    continue
                return None
            if self._may_be_given(number, said):
                return said

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _may_be_given(self, number: int, said: str) -> bool:
        with self._lock:
            enabled = [button["answer"] for button in self._state["buttons"] if button["enabled"]]
            return number == self._state["number"] and said in enabled

    # what the handler calls

    def knows(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self._token.encode())

    def state(self) -> bytes:
        with self._lock:
            return json.dumps(self._state).encode()

    def jpeg(self) -> bytes:
        with self._lock:
            return self._jpeg

    def give(self, body: bytes) -> bool:
        try:
            said = json.loads(body)
            number, answer = int(said["number"]), str(said["answer"])
        except (ValueError, KeyError, TypeError):
            return False
        self._answers.put((number, answer))
        return True


def _meaning(buttons: list[dict]) -> list[str]:
    return [button["answer"] for button in buttons]


def _handler(server: PageServer, page: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if not server.knows(asked.query.split("&")[0]):
                return self._send(403, "text/plain", b"Open the address that was printed in the terminal.")
            if asked.path == "/":
                return self._send(200, "text/html; charset=utf-8", page.encode())
            if asked.path == "/state":
                return self._send(200, "application/json", server.state())
            if asked.path == "/picture" and server.jpeg():
                return self._send(200, "image/jpeg", server.jpeg())
            return self._send(404, "text/plain", b"Nothing is here.")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if not server.knows(urlsplit(self.path).query) or not 0 < length <= LONGEST_ANSWER:
                return self._send(403, "text/plain", b"")
            return self._send(204 if server.give(self.rfile.read(length)) else 400, "text/plain", b"")

        def log_message(self, *_) -> None:
            """The terminal is for the session's progress."""

        def _send(self, code: int, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

    return Handler
