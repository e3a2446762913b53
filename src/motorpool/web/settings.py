"""How the server runs: where it listens, whom it answers, and its limits."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

USUAL_WORKERS = 2  # each holds the engine's programs and the people of late questions
MOST_WORKERS = 64
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(ValueError):
    """The server cannot be started like this; the message says why and what to do."""

    exit_code = 2


@dataclass(frozen=True)
class Settings:
    """How the server runs.

    Attributes:
        host, port: where it listens; port 0 takes a free one.
        names: host names it answers to, without a port.
        users: file of people who may use it, one `name:salt:hash` a line; needed to be public.
        public: others than this machine may connect.
        proxies: servers in front of this one whose word on a client's address (`X-Forwarded-For`) is believed; none
            by default, because anybody can send that header.
        folder: where jobs, their results and saved plans are kept.
        database: address of the database of jobs and saved plans, as SQLAlchemy writes it; by default a file in
            `folder`.
        most_body_bytes: longest request.
        requests_per_second, burst: of one client, on average and at once.
        most_jobs: waiting or running at once.
        most_saved: saved plans of one owner.
        warm: load the programs of the engine at the start.
        workers: processes that answer what asks the engine; 0 answers in threads of the server.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    names: tuple[str, ...] = LOCAL_NAMES
    users: Path | None = None
    public: bool = False
    proxies: tuple[Network, ...] = ()
    folder: Path = field(default_factory=lambda: data_folder())
    database: str | None = None
    most_body_bytes: int = 65_536
    requests_per_second: float = 20.0
    burst: int = 200
    most_jobs: int = 8
    most_saved: int = 500
    warm: bool = True
    workers: int = 0

    def check(self) -> Settings:
        """The same settings, if they are safe.

        Raises:
            SettingsError: public, or behind a proxy, without authentication or a host name.
        """
        if self.public and self.users is None:
            message = (
                "--public: nobody may use this server from outside before it knows who may: make a file of users with "
                "`motorpool serve --add-user NAME --users FILE`, and start it with --users FILE."
            )
            raise SettingsError(message)
        if self.public and not set(self.names) - set(LOCAL_NAMES):
            message = "--public: give the name under which others reach this server, with --allow-host NAME."
            raise SettingsError(message)
        if self.proxies and (self.users is None or not set(self.names) - set(LOCAL_NAMES)):
            message = (
                "--trust-proxy: others reach this server through the proxy; say who they are with --users FILE, and "
                "under which name they reach it with --allow-host NAME."
            )
            raise SettingsError(message)
        if not self.public and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise SettingsError(f"--host {self.host}: other machines could connect; that needs --public.")
        if not 0 <= self.workers <= MOST_WORKERS:
            raise SettingsError(
                f"--workers {self.workers}: must be from 0 (in the server itself) to {MOST_WORKERS}."
            )
        if self.users is not None:
            from motorpool.web.users import read_users

            read_users(self.users)
        return self


def proxy_networks(addresses: Iterable[str]) -> tuple[Network, ...]:
    """The addresses of proxies, one each or a network such as `10.0.0.0/8`.

    Raises:
        SettingsError: no address, or one that stands for everybody.
    """
    found: list[Network] = []
    for address in addresses:
        try:
            network = ipaddress.ip_network(address, strict=False)
        except ValueError:
            message = f"--trust-proxy {address}: must be an address such as 127.0.0.1, or a network such as 10.0.0.0/8."
            raise SettingsError(message) from None
        if network.prefixlen == 0:
            raise SettingsError(f"--trust-proxy {address}: would believe everybody; name the proxy itself.")
        found.append(network)
    return tuple(found)


def usual_workers() -> int:
    """As many processes as let two people's answers be worked out at once, where there are two cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(USUAL_WORKERS, cores)


def data_folder() -> Path:
    """Where a user's jobs and saved plans are kept, unless told otherwise."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "motorpool" / "web"
