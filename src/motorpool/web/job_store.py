"""Long runs that are remembered: a table of jobs in SQLite, or in another database by its address."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Literal

from sqlalchemy import String, Text, create_engine, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("waiting", "running")


class Base(DeclarativeBase):
    """The tables of the web page."""


class Job(Base):
    """One long run.

    Attributes:
        scenario: the scenario as JSON, or another task of the laboratory: `{"task": ..., ...}`.
        stage, share: how far it is, in words and from 0 to 1.
        began, share_then: when the present attempt began, and how far the job was then; for the time left.
        message: why it failed.
    """

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[float]
    title: Mapped[str] = mapped_column(String(200))
    scenario: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), index=True)
    stage: Mapped[str] = mapped_column(String(200), default="")
    share: Mapped[float] = mapped_column(default=0.0)
    began: Mapped[float | None] = mapped_column(default=None)
    share_then: Mapped[float] = mapped_column(default=0.0)
    ended: Mapped[float | None] = mapped_column(default=None)
    message: Mapped[str] = mapped_column(Text, default="")

    @property
    def task(self) -> str:
        """What is done: `simulate`, or the command of the laboratory, such as `cells addon`."""
        return str(json.loads(self.scenario).get("task", "simulate"))

    @property
    def seconds_left(self) -> float | None:
        """How much longer it takes if it goes on as it did; None while nobody can tell."""
        if self.state != "running" or self.began is None or self.share - self.share_then < 0.01:
            return None
        return (time.time() - self.began) * (1.0 - self.share) / (self.share - self.share_then)


class JobStore:
    """Adds, finds and changes jobs; every change is one transaction."""

    def __init__(self, folder: Path, address: str | None = None) -> None:
        """Open the database, which is made where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._engine = create_engine(address or f"sqlite:///{folder / 'jobs.sqlite'}")
        Base.metadata.create_all(self._engine)

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
