"""Asking a server for JSON, gently: a least time between requests, few tries, limits of time and size.

What is asked for too fast (429) and what fails on the server's side is tried again after the time that the server
names, or after ever longer waits; a server that cannot be reached at all is not. An answer that drips in slowly, is too
large or is not JSON is an error and never hangs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from motorpool.cell_lab.registry import RegistryError
from motorpool.cell_lab.registry_services import HttpRules

if TYPE_CHECKING:
    import httpx

TOO_MANY, SERVER_SIDE, ABSENT = 429, range(500, 600), 404
LONGEST_EXCERPT = 200
Problem = Literal["unreachable", "slow", "refused", "limited", "server", "unreadable"]


class ServiceError(RegistryError):
    """A service could not be asked; ``problem`` says how it failed."""

    def __init__(self, message: str, problem: Problem) -> None:
        super().__init__(message)
        self.problem: Problem = problem


class _Again(Exception):
    """A try that failed in a way that another may not; ``asked`` is how long the server asks to wait."""

    def __init__(self, error: ServiceError, asked: str | None = None) -> None:
        super().__init__(str(error))
        self.error, self.asked = error, asked


class JsonService:
    """One server that answers JSON.

    Args:
        name: as messages call it.
        url: address that paths are added to.
        pause_seconds: least time between two requests.
        wait, clock: stand-ins for time in tests.
    """

    def __init__(
        self,
        name: str,
        url: str,
        pause_seconds: float,
        rules: HttpRules,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import httpx

        from motorpool import __version__

        self.name, self._url, self._pause, self._rules = name, url, pause_seconds, rules
        self._wait, self._clock = wait, clock
        self._last: float | None = None
        self._client = httpx.Client(
            timeout=httpx.Timeout(rules.answer_seconds, connect=rules.connect_seconds),
            follow_redirects=True,
            headers={
                "User-Agent": f"motorpool/{__version__} (research software)",
                "Accept": "application/json",
            },
        )

    def __enter__(self) -> JsonService:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, parameters: Mapping[str, str]) -> Any | None:
        """The JSON at a path, or ``None`` where there is nothing (404).

        Raises:
            ServiceError: the server cannot be reached, refuses, is too slow, or does not answer JSON.
        """
        for attempt in range(self._rules.tries):
            self._keep_pace()
            try:
                return self._once(path, parameters)
            except _Again as again:
                if attempt + 1 == self._rules.tries:
                    raise again.error from None
                self._wait(self._pause_after(attempt, again.asked))
        raise AssertionError("at least one try is made")

    def _once(self, path: str, parameters: Mapping[str, str]) -> Any | None:
        """One question; raises ``_Again`` where another try may help."""
        import httpx

        try:
            with self._client.stream("GET", f"{self._url}{path}", params=dict(parameters)) as response:
                body = self._body(response)
        except httpx.ConnectTimeout:
            raise self._error("cannot be reached (no answer to the first call)", "unreachable") from None
        except httpx.TimeoutException:
            raise _Again(self._error("did not answer in time", "slow")) from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL) as problem:
            raise self._error(f"cannot be reached ({_reason(problem)})", "unreachable") from None
        except httpx.HTTPError as problem:
            raise _Again(self._error(f"broke off its answer ({_reason(problem)})", "server")) from None
        code = response.status_code
        if code == ABSENT:
            return None
        if response.is_success:
            return self._json(body)
        asked: str | None = response.headers.get("Retry-After")
        if code == TOO_MANY:
            raise _Again(self._error("asks for fewer requests; try again later", "limited"), asked)
        if code in SERVER_SIDE:
            raise _Again(self._error(f"has trouble ({code})", "server"), asked)
        raise self._error(f"refused the question ({code}): {_excerpt(body)}", "refused")

    def _keep_pace(self) -> None:
        now = self._clock()
        if self._last is not None and now - self._last < self._pause:
            self._wait(self._pause - (now - self._last))
        self._last = self._clock()

    def _pause_after(self, attempt: int, asked: str | None) -> float:
        """Seconds until the next try; what the server asks for counts, up to the longest wait."""
        seconds = self._rules.first_wait_seconds * 2**attempt
        if asked is not None and asked.strip().isdigit():
            seconds = float(asked)
        return min(seconds, self._rules.longest_wait_seconds)

    def _body(self, response: httpx.Response) -> bytes:
        """The whole answer, within the limits of time and size."""
        begun, parts, size = self._clock(), [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > self._rules.most_bytes:
                raise self._error(f"sent more than {self._rules.most_bytes} bytes", "unreadable")
            if self._clock() - begun > self._rules.answer_seconds:
                raise self._error("did not finish its answer in time", "slow")
        return b"".join(parts)

    def _json(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except ValueError:
            raise self._error(f"did not answer JSON: {_excerpt(body)}", "unreadable") from None

    def _error(self, words: str, problem: Problem) -> ServiceError:
        return ServiceError(f"{self.name} {words}", problem)


def _reason(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _excerpt(body: bytes) -> str:
    text = " ".join(body.decode("utf-8", errors="replace").split())
    return text[:LONGEST_EXCERPT] or "an empty answer"
