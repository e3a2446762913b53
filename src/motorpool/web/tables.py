"""The tables of the web page: long runs, saved plans, and which version of the tables a database holds."""

from __future__ import annotations

import json
import time

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The tables of the web page."""


class TablesVersion(Base):
    """The one row that says which version of the tables a database holds; see `motorpool.web.database`."""

    __tablename__ = "motorpool_tables"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


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


class SavedPlan(Base):
    """What was described on Explore, saved under a title.

    Attributes:
        owner: who saved it, as they signed in; empty on a server that knows no users.
        description: the whole `Description` as JSON, defaults included, so that a later default changes nothing in it.
        created, changed: seconds since 1970.
    """

    __tablename__ = "saved_plans"
    __table_args__ = (UniqueConstraint("owner", "title"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text)
    created: Mapped[float]
    changed: Mapped[float]
