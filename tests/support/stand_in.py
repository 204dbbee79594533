"""A server on this machine that misbehaves as a test says, and the replies that it can give."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event as Flag
from threading import Thread

from steer_engine.remote import Patience
from steer_engine.remote.probing import WORD

QUICK = Patience(first_wait_s=0.005, longest_wait_s=0.02)
MARKER = "sk-marker-7f3a9c"
"""A key that no output may hold."""


@dataclass(frozen=True)
class Asked:
    """A request that has come in."""

    path: str
    headers: dict[str, str]
    body: dict = field(default_factory=dict)

    @property
    def is_probe(self) -> bool:
        return "What colour is a clear sky?" in json.dumps(self.body)


@dataclass(frozen=True)
class Said:
    """A reply: raw bytes, which end where the connection does."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


def as_json(value, status=200, **headers) -> Said:
    return Said(json.dumps(value).encode(), status, headers=headers)


def chunk(text=None, *, end=None, logprobs=None, **delta) -> dict:
    delta = delta if text is None else {"content": text, **delta}
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    return {"choices": [choice if logprobs is None else {**choice, "logprobs": logprobs}]}


def events(*payloads, done=True) -> Said:
    lines = [f"data: {json.dumps(payload, ensure_ascii=False)}\n\n" for payload in payloads]
    text = "".join([": hello\n\n", *lines, "data: [DONE]\n\n" if done else ""])
    return Said(text.encode(), kind="text/event-stream")


def stream(text: str, *, end="stop", done=True) -> Said:
    """A streamed answer, a few characters at a time; without `end` it is cut off."""
    pieces = [text[i : i + 3] for i in range(0, len(text), 3)]
    usage = {"choices": [], "usage": {"prompt_tokens": 7}}
    last = [chunk(end=end), usage] if end else []
    return events(*map(chunk, pieces), *last, done=done and bool(end))


def told(asked: Asked, wish: str) -> str:
    """What a model writes that is held to what is asked: the one word of a probe, else `wish`."""
    form = {k: v for k, v in asked.body.items() if k not in ("messages", "model")}
    if not asked.is_probe or WORD not in json.dumps(form, ensure_ascii=False):
        return wish
    is_json = '"properties"' in json.dumps(form)
    return json.dumps({"word": WORD}, ensure_ascii=False) if is_json else WORD


def held(asked: Asked, wish: str) -> Said:
    """The same, as a server streams it."""
    return stream(told(asked, wish))


class StandIn:
    """A server of ours; `answer` is told what is asked, and how often that was before.

    A text is what its model writes, held to what is asked. `pages` is what stands at other paths.
    `gone` is set once a client has gone away in the middle of an answer.
    """

    def __init__(
        self,
        answer: str | Callable[[Asked, int], Said],
        *,
        models=({"id": "tiny"},),
        pages=None,
        name="stand-in",
    ) -> None:
        self.answer = (lambda asked, _: held(asked, answer)) if isinstance(answer, str) else answer
        self.name = name
        self.pages = {"/v1/models": as_json({"data": [*models]}), **(pages or {})}
        self.asked: list[Asked] = []
        self.probes: list[Asked] = []
        self.gone, self.is_closed = Flag(), Flag()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (_Handler,), {"of": self}))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def questions(self) -> list[Asked]:
        """What was asked besides probes."""
        return [asked for asked in self.asked if asked.body]

    def close(self) -> None:
        self.is_closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: StandIn

    def version_string(self) -> str:
        return self.of.name

    def do_GET(self) -> None:
        self.of.asked.append(Asked(self.path, self._headers()))
        self._say(self.of.pages.get(self.path, as_json({"detail": "Not Found"}, 404)))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = Asked(self.path, self._headers(), body)
        known = self.of.probes if asked.is_probe else self.of.asked
        n_before = sum(bool(each.body) for each in known)
        known.append(asked)
        page = self.of.pages.get(self.path)
        self._say(self.of.answer(asked, n_before) if page is None else page)

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _say(self, said: Said) -> None:
        self.send_response(said.status)
        self.send_header("content-type", said.kind)
        for header, value in said.headers.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(said.body)
        self.wfile.flush()
        if said.hangs:
            self._hang()

    def _hang(self) -> None:
        self.connection.settimeout(0.02)
        while not self.of.is_closed.is_set():
            try:
                if not self.connection.recv(1):
                    self.of.gone.set()
                    return
            except TimeoutError:
                continue

    def log_message(self, *_: object) -> None:
        pass
