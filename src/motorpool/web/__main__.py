"""Start the server: `python -m motorpool.web`, which is what `motorpool serve` becomes."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

from motorpool.web.settings import (
    LOCAL_NAMES,
    Settings,
    SettingsError,
    data_folder,
    proxy_networks,
    usual_workers,
)

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Start the server and answer until it is interrupted; return the exit code."""
    try:
        given = _parser().parse_args(arguments)
        if given.add_user is not None:
            return _add_user(given.add_user, given.users)
        return _serve(_settings(given))
    except SettingsError as error:
        print(str(error), file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="motorpool serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--public", action="store_true")
    parser.add_argument("--users", type=Path)
    parser.add_argument("--allow-host", action="append", default=[])
    parser.add_argument("--trust-proxy", action="append", default=[])
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--database")
    parser.add_argument("--workers", type=int, default=usual_workers())
    parser.add_argument("--no-warm-up", action="store_true")
    parser.add_argument("--add-user")
    return parser


def _add_user(name: str, users: Path | None) -> int:
    if users is None:
        raise SettingsError("--add-user: needs --users FILE.")
    import getpass

    from motorpool.web.users import add_user

    asked = (
        getpass.getpass(f"Password of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    )
    add_user(users, name, asked)
    print(f"{name} may use the server: {users}", file=sys.stderr)
    return 0


def _settings(given: argparse.Namespace) -> Settings:
    from motorpool.web.database import database_address

    return Settings(
        host=given.host,
        port=given.port,
        names=(*LOCAL_NAMES, *(name.lower() for name in given.allow_host)),
        users=given.users,
        public=given.public,
        proxies=proxy_networks(given.trust_proxy),
        folder=(given.folder or data_folder()).expanduser().absolute(),
        database=database_address(given.database),
        warm=not given.no_warm_up,
        workers=given.workers,
    ).check()


def _serve(settings: Settings) -> int:
    import uvicorn

    from motorpool.web.app import create_app

    with _socket(settings) as listening:
        app = create_app(settings)
        # Whom to believe about the address of a client is for the guards to say: `proxy_headers` believes this machine.
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30,
            timeout_graceful_shutdown=3, limit_concurrency=200, proxy_headers=False,
        )  # fmt: skip
        name = settings.host if not settings.public else sorted(set(settings.names) - set(LOCAL_NAMES))[0]
        shown = f"[{name}]" if ":" in name else name
        print(f"http://{shown}:{listening.getsockname()[1]}/", flush=True)
        where = "" if settings.database is None else ", or in the database that you named"
        print(f"Stop it with Ctrl-C. All data stay on this machine{where}.", file=sys.stderr, flush=True)
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _socket(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say.

    Raises:
        SettingsError: the address is in use or not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        message = f"--port {settings.port}: {error.strerror}; choose another with --port, or --port 0 for any free one."
        raise SettingsError(message) from None
    except OverflowError:
        listening.close()
        raise SettingsError(f"--port {settings.port}: must be from 0 to 65535.") from None
    listening.listen(128)
    return listening


if __name__ == "__main__":
    sys.exit(main())
