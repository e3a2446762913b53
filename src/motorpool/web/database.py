"""The database of the web page: SQLite in the folder of the server, or PostgreSQL by its address.

The tables carry a version. Older ones are brought up to date at the start; newer ones are refused, because what a
newer motorpool keeps in them could be lost.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from motorpool.web.settings import SettingsError
from motorpool.web.tables import Base, TablesVersion

# 1: long runs, without a version in the database. 2: saved plans, and the version.
TABLES_VERSION = 2
KINDS = ("sqlite", "postgresql")
EXAMPLE = "postgresql://user@host/name"
FILE = "jobs.sqlite"
VARIABLE = "MOTORPOOL_DATABASE"
ONE_AT_A_TIME = 5_061_766  # any number that others do not use: PostgreSQL's lock while tables are made


def database_address(given: str | None) -> str | None:
    """The address that was given, or the one in the environment, where a password is not seen by others."""
    return given or os.environ.get(VARIABLE) or None


def open_database(folder: Path, address: str | None = None) -> Engine:
    """The database with its tables as this version wants them, which are made where there are none.

    Raises:
        SettingsError: the address is none, the database cannot be reached, or a newer motorpool made it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    url = URL.create("sqlite", database=str(folder / FILE)) if address is None else _url(address)
    shown = str(folder / FILE) if address is None else url.render_as_string(hide_password=True)
    try:
        engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise SettingsError(f"--database {shown}: needs a package that is not installed ({error}).") from None
    try:
        with engine.begin() as connection:
            _bring_up_to_date(connection, shown)
    except DBAPIError as error:
        engine.dispose()
        why = " ".join(str(error.orig).split())[:300]
        raise SettingsError(f"--database {shown}: cannot be used: {why}") from None
    except BaseException:
        engine.dispose()
        raise
    return engine


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:  # its message would show a password
        raise SettingsError(f"--database: is no address of a database, such as {EXAMPLE}.") from None
    if url.drivername == "postgres":
        url = url.set(drivername="postgresql")
    if url.get_backend_name() not in KINDS:
        allowed = " or ".join(KINDS)
        message = f"--database: {url.get_backend_name()} is not supported; give {allowed}, such as {EXAMPLE}."
        raise SettingsError(message)
    return url


def _bring_up_to_date(connection: Connection, shown: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"select pg_advisory_xact_lock({ONE_AT_A_TIME})"))
    found: int | None = None
    if inspect(connection).has_table(TablesVersion.__tablename__):
        found = connection.scalar(select(TablesVersion.version))
    if found is not None and found > TABLES_VERSION:
        message = (
            f"--database {shown}: was made by a newer motorpool (tables of version {found}; this one knows up to "
            f"{TABLES_VERSION}). Use that motorpool, or another --folder or --database. Nothing was changed."
        )
        raise SettingsError(message)
    # Every version so far only adds tables; made in any order, and twice without harm, with the version last.
    Base.metadata.create_all(connection)
    if found is None:
        connection.execute(TablesVersion.__table__.insert().values(id=1, version=TABLES_VERSION))  # pyright: ignore[reportAttributeAccessIssue]
    elif found < TABLES_VERSION:
        connection.execute(TablesVersion.__table__.update().values(version=TABLES_VERSION))  # pyright: ignore[reportAttributeAccessIssue]
