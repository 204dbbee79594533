"""The hub's HTTP interface on this machine, with a "CDN" on another port, for files in memory.

It answers what `huggingface_hub` asks: the list of a repository's files, and each file with its
ETag, commit and size; large ones are sent on to the CDN, as the hub does it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_LARGE = (".gguf", ".safetensors")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class HubStandIn:
    """Serves `repos`: files by name, by repository. What goes wrong is set on it.

    `breaks` has a number for each answer of the CDN: how many bytes it sends before it hangs up.
    """

    def __init__(self, repos: Mapping[str, Mapping[str, bytes]]) -> None:
        self.repos = repos
        self.refused: dict[str, tuple[int, str]] = {}  # status and error code, by repository
        self.breaks: list[int] = []
        self.ranges: list[str] = []  # what was asked of the CDN; "" is all of a file
        self.tokens: list[tuple[str, str | None]] = []  # path and token of each request
        self.lies_about_hashes = self.lies_about_commits = self.ignores_ranges = False
        self.says_sizes = True
        self.cdn_status = 200
        self.portal = b""  # what a proxy says instead of the hub
        self._servers = [_serve(self, _Hub), _serve(self, _Cdn)]
        self.url, self.cdn = (f"http://127.0.0.1:{each.server_port}" for each in self._servers)

    def sha256(self, data: bytes) -> str:
        return hashlib.sha256(data + b"!" * self.lies_about_hashes).hexdigest()

    def info(self, repo: str) -> dict[str, object]:
        """What the hub says of a repository."""
        siblings = [self._sibling(name, data) for name, data in self.repos[repo].items()]
        return {"id": repo, "sha": COMMIT, "siblings": siblings}

    def _sibling(self, name: str, data: bytes) -> dict[str, object]:
        said: dict[str, object] = {"rfilename": name}
        if self.says_sizes:
            said["size"] = len(data)
        if name.endswith(_LARGE):
            said["lfs"] = {"sha256": self.sha256(data), "size": len(data), "pointerSize": 130}
        return said

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def _serve(hub: HubStandIn, kind: type[_Handler]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (kind,), {"of": hub}))
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    of: HubStandIn
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.of.tokens.append((self.path, self.headers.get("authorization")))
        self.answer()

    def answer(self) -> None: ...

    def say(self, body: bytes, status: int = 200, **headers: object) -> None:
        said = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | said).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(BrokenPipeError, ConnectionResetError):  # who has read enough hangs up
                self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Hub(_Handler):
    def answer(self) -> None:
        if found := re.match(r"/api/models/([^/?]+/[^/?]+)", self.path):
            self._answer_api(found[1])
        elif found := re.match(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", self.path):
            self._answer_file(found[1], found[2])
        else:
            self.say(b"", 404)

    def _is_refused(self, repo: str) -> bool:
        status, code = self.of.refused.get(repo, (401, "RepoNotFound"))
        if repo in self.of.repos and repo not in self.of.refused:
            return False
        self.say(b"{}", status, **({"X-Error-Code": code} if code else {}))
        return True

    def _answer_api(self, repo: str) -> None:
        if self.of.portal:
            self.say(self.of.portal)
        elif not self._is_refused(repo):
            body = json.dumps(self.of.info(repo)).encode()
            self.say(body, Content_Type="application/json")

    def _answer_file(self, repo: str, name: str) -> None:
        if self._is_refused(repo):
            return None
        data = self.of.repos[repo].get(name)
        if data is None:
            return self.say(b"", 404, X_Error_Code="EntryNotFound")
        about = {"X-Repo-Commit": COMMIT[::-1] if self.of.lies_about_commits else COMMIT}
        if not name.endswith(_LARGE):
            etag = f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'
            return self.say(data, **about, ETag=etag)
        about |= {"X-Linked-Etag": f'"{self.of.sha256(data)}"', "X-Linked-Size": len(data)}
        place = f"{self.of.cdn}/{repo}/{name}?signature=of-the-cdn"
        return self.say(b"", 302, Location=place, **about)


class _Cdn(_Handler):
    def answer(self) -> None:
        owner, repo, name = self.path.split("?")[0].strip("/").split("/", 2)
        data = self.of.repos[f"{owner}/{repo}"][name]
        asked = _RANGE.fullmatch(self.headers.get("range", ""))
        if self.command == "GET":
            self.of.ranges.append(asked[0] if asked else "")
        if self.of.cdn_status != 200:
            return self.say(b"", self.of.cdn_status)
        if asked is None or self.of.ignores_ranges:
            return self._send(data, 200)
        first, last = int(asked[1]), int(asked[2] or len(data) - 1)
        return self._send(data[first : last + 1], 206)

    def _send(self, data: bytes, status: int) -> None:
        if self.command == "HEAD" or not self.of.breaks:
            return self.say(data, status)
        self.close_connection = True
        return self.say(data[: self.of.breaks.pop(0)], status, Content_Length=len(data))
