"""Long runs that are remembered in the database of the web page."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from motorpool.web.database import open_database
from motorpool.web.tables import Job

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("waiting", "running")


class JobStore:
    """Adds, finds and changes jobs; every change is one transaction."""

    def __init__(self, folder: Path, engine: Engine | None = None) -> None:
        """Use this database, or else the one in the folder, which is made where there is none."""
        self.folder = folder
        self._engine = engine or open_database(folder)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add(self, title: str, scenario: str, most_open: int) -> Job | None:
        """A new job that waits, or None where as many wait or run as may."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            if len(session.scalars(select(Job.id).where(Job.state.in_(OPEN))).all()) >= most_open:
                return None
            job = Job(
                id=uuid.uuid4().hex, created=time.time(), title=title, scenario=scenario, state="waiting"
            )
            job.stage, job.share, job.share_then, job.message = "waiting", 0.0, 0.0, ""
            session.add(job)
        return job

    def get(self, identifier: str) -> Job | None:
        """The job with this identifier."""
        with Session(self._engine, expire_on_commit=False) as session:
            return session.get(Job, identifier)

    def all(self) -> list[Job]:
        """All jobs, the newest first."""
        with Session(self._engine, expire_on_commit=False) as session:
            return list(session.scalars(select(Job).order_by(Job.created.desc())))

    def take(self) -> Job | None:
        """The oldest job that waits, which now runs."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            job = session.scalars(select(Job).where(Job.state == "waiting").order_by(Job.created)).first()
            if job is not None:
                job.state, job.began, job.share_then = "running", time.time(), job.share
            return job

    def change(self, identifier: str, only_from: tuple[State, ...], **values: object) -> bool:
        """Change a job if its state is one of these; whether it was."""
        with Session(self._engine) as session, session.begin():
            found = session.execute(
                update(Job).where(Job.id == identifier, Job.state.in_(only_from)).values(**values)
            )
            return bool(found.rowcount)  # pyright: ignore[reportAttributeAccessIssue]

    def wait_again(self) -> None:
        """Jobs that ran when the server ended wait again; what they had finished is kept in their folders."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(Job).where(Job.state == "running").values(state="waiting", stage="waiting")
            )

    def delete(self, identifier: str) -> None:
        """Forget a job."""
        with Session(self._engine) as session, session.begin():
            job = session.get(Job, identifier)
            if job is not None:
                session.delete(job)

    def place(self, identifier: str) -> Path:
        """The folder of a job."""
        return self.folder / "runs" / identifier
