"""Who may use a public server: a file of names and salted hashes, never passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from pathlib import Path

from motorpool.web.settings import SettingsError

SHORTEST_PASSWORD = 12
COST, BLOCK, PARALLEL = 2**14, 8, 1  # scrypt, as OWASP advises for interactive use
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def read_users(path: Path) -> dict[str, tuple[bytes, bytes]]:
    """Name to salt and hash.

    Raises:
        SettingsError: the file cannot be read, is open to others, holds nobody or is not as `add_user` writes it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except OSError as error:
        raise SettingsError(f"--users {path}: {error.strerror}.") from None
    if os.name == "posix" and mode & 0o077:
        raise SettingsError(f"--users {path}: others can read it; run `chmod 600 {path}`.")
    users: dict[str, tuple[bytes, bytes]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.strip().split(":")
        if not parts[0]:
            continue
        try:
            name, salt, kept = parts
            users[name] = base64.b64decode(salt, validate=True), base64.b64decode(kept, validate=True)
        except ValueError:
            message = (
                f"--users {path}: line {number} is not name:salt:hash; use `motorpool serve --add-user`."
            )
            raise SettingsError(message) from None
    if not users:
        raise SettingsError(
            f"--users {path}: holds nobody; add somebody with `motorpool serve --add-user NAME`."
        )
    return users


def add_user(path: Path, name: str, password: str) -> None:
    """Add somebody, or give them another password.

    Raises:
        SettingsError: the name or the password cannot be used.
    """
    if not NAME.fullmatch(name):
        raise SettingsError(f"--add-user {name}: must be letters, digits, dots, dashes or _, at most 64.")
    if len(password) < SHORTEST_PASSWORD:
        raise SettingsError(f"the password must have at least {SHORTEST_PASSWORD} characters.")
    lines = [] if not path.exists() else path.read_text(encoding="utf-8").splitlines()
    salt = os.urandom(16)
    made = ":".join((name, _text(salt), _text(_hash(password, salt))))
    kept = [line for line in lines if line.partition(":")[0] != name]
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text("\n".join([*kept, made]) + "\n", encoding="utf-8")
    unfinished.replace(path)


def knows(users: dict[str, tuple[bytes, bytes]], name: str, password: str) -> bool:
    """Whether the password is that user's; takes as long for an unknown name."""
    salt, kept = users.get(name, (b"-" * 16, b""))
    return hmac.compare_digest(_hash(password, salt), kept)


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
