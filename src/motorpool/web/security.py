"""What stands before every page: known hosts, who asks, where a change comes from, and limits of size and rate.

Changes are protected as browsers make possible: every browser says on a request that changes something which site
it comes from (`Sec-Fetch-Site`, `Origin`), and only this site's own are taken. Programs send neither.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from motorpool.web.settings import Settings
from motorpool.web.users import knows, read_users

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# A finished report is one file with its styles inside; its scripts stay off.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; sandbox "
    "allow-downloads allow-popups"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
SAFE = ("GET", "HEAD", "OPTIONS")
MOST_CLIENTS = 10_000
LOGINS_KEPT = 100
USER = "motorpool.user"  # in the scope of a request: who asks


class Refused(Exception):
    """A request that is not answered; status and one sentence."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        """Remember what to answer."""
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}


class Guard:
    """The application behind its guards."""

    def __init__(self, app: App, settings: Settings) -> None:
        """Guard this application."""
        self._app, self._settings = app, settings
        self._users = None if settings.users is None else read_users(settings.users)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._logins: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            self._check_host(headers)
            self._check_rate(self._client(scope, headers))
            scope[USER] = self._check_user(headers)
            self._check_site(scope, headers)
            body = await self._body(headers, receive)
        except Refused as refused:
            await _answer(send, refused)
            return

        async def again() -> Message:
            """The body that was read, then whatever the client does next."""
            if body:
                return body.pop(0)
            return await receive()

        await self._app(scope, again, _with_headers(send))

    def _check_host(self, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        if name.lower() not in self._settings.names:
            raise Refused(400, "This server does not answer to that host name.")

    def _client(self, scope: Scope, headers: dict[str, str]) -> str:
        """The address that asks. A trusted proxy tells it; what a client says of itself is never believed.

        Every proxy appends the address it was asked from, so that the last one which is no trusted proxy is the client.
        """
        client = str((scope.get("client") or ("", 0))[0])
        told = headers.get("x-forwarded-for", "").split(",") if self._settings.proxies else []
        while told and self._trusted(client):
            given = told.pop().strip()
            if _address(given) is None:
                break
            client = given
        return client

    def _trusted(self, client: str) -> bool:
        address = _address(client)
        return address is not None and any(address in network for network in self._settings.proxies)

    def _check_rate(self, client: str) -> None:
        now, settings = time.monotonic(), self._settings
        left, since = self._buckets.pop(client, (float(settings.burst), now))
        left = min(float(settings.burst), left + (now - since) * settings.requests_per_second)
        self._buckets[client] = (max(0.0, left - 1.0), now)
        while len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1.0:
            raise Refused(429, "Too many requests; wait a moment.", {"retry-after": "1"})

    def _check_user(self, headers: dict[str, str]) -> str:
        """Who asks; nobody by name where no users are known."""
        if self._users is None:
            return ""
        given = headers.get("authorization", "")
        if given in self._logins:
            return self._logins[given]
        try:
            kind, _, text = given.partition(" ")
            name, _, password = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
        except ValueError:
            kind, name, password = "", "", ""
        if kind.lower() != "basic" or not knows(self._users, name, password):
            raise Refused(401, "Sign in to use this server.", {"www-authenticate": 'Basic realm="motorpool"'})
        self._logins[given] = name
        while len(self._logins) > LOGINS_KEPT:
            self._logins.popitem(last=False)
        return name

    def _check_site(self, scope: Scope, headers: dict[str, str]) -> None:
        if scope["method"] in SAFE:
            return
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        foreign = site not in (None, "same-origin", "none")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            foreign = True
        if foreign:
            raise Refused(403, "This request comes from another site.")

    async def _body(self, headers: dict[str, str], receive: Receive) -> list[Message]:
        most = self._settings.most_body_bytes
        message = f"The request is longer than {most} bytes."
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > most:
            raise Refused(413, message)
        parts: list[Message] = []
        size = 0
        while True:
            part = await receive()
            if part["type"] != "http.request":
                return [part]
            size += len(part.get("body", b""))
            if size > most:
                raise Refused(413, message)
            parts.append(part)
            if not part.get("more_body", False):
                return parts


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message["headers"]}
            extra = {"content-security-policy": CONTENT_POLICY, **HEADERS}
            message["headers"] = [
                *message["headers"],
                *(
                    (key.encode(), value.encode())
                    for key, value in extra.items()
                    if key.encode() not in names
                ),
            ]
        await send(message)

    return sent


async def _answer(send: Send, refused: Refused) -> None:
    body = json.dumps({"problems": [{"where": "", "message": refused.message}]}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **refused.headers}
    start = {
        "type": "http.response.start",
        "status": refused.status,
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
    }
    await _with_headers(send)(start)
    await send({"type": "http.response.body", "body": body})
