"""Saved plans in the database; every change is one transaction, which happens whole or not at all."""

from __future__ import annotations

import threading
import time
import uuid

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from motorpool.web.tables import SavedPlan


class CannotBeSaved(ValueError):
    """It cannot be saved; the message says why, and `where` which field is meant."""

    def __init__(self, where: str, message: str) -> None:
        """Remember what is wrong."""
        super().__init__(message)
        self.where = where


class SavedPlans:
    """What visitors saved; everybody sees their own."""

    def __init__(self, engine: Engine, most: int) -> None:
        """Keep at most so many of each owner."""
        self._engine, self._most = engine, most
        self._saving = threading.Lock()  # so that two saves at once do not pass the limit together

    def add(self, owner: str, title: str, description: str) -> SavedPlan:
        """Save a description under a title.

        Raises:
            CannotBeSaved: the title is taken, or as many are saved as may be.
        """
        now = time.time()
        saved = SavedPlan(
            id=uuid.uuid4().hex, owner=owner, title=title, description=description, created=now, changed=now
        )
        with self._saving, Session(self._engine, expire_on_commit=False) as session:
            own = select(func.count()).where(SavedPlan.owner == owner)
            if session.scalar(own.where(SavedPlan.title == title)):
                raise _taken(title)
            if (session.scalar(own) or 0) >= self._most:
                message = f"{self._most} plans are saved, and no more can be; delete one first"
                raise CannotBeSaved("", message)
            session.add(saved)
            _commit(session, title)
        return saved

    def change(
        self, owner: str, identifier: str, title: str | None = None, description: str | None = None
    ) -> SavedPlan | None:
        """Give another title, another description, or both; None where there is no such plan.

        Raises:
            CannotBeSaved: the title is taken.
        """
        with self._saving, Session(self._engine, expire_on_commit=False) as session:
            saved = self._find(session, owner, identifier)
            if saved is not None:
                saved.title = title or saved.title
                saved.description = description or saved.description
                saved.changed = time.time()
                _commit(session, saved.title)
            return saved

    def get(self, owner: str, identifier: str) -> SavedPlan | None:
        """The plan with this identifier, if it is theirs."""
        with Session(self._engine, expire_on_commit=False) as session:
            return self._find(session, owner, identifier)

    def titled(self, owner: str, title: str) -> SavedPlan | None:
        """The plan with this title, if there is one."""
        wanted = select(SavedPlan).where(SavedPlan.owner == owner, SavedPlan.title == title)
        with Session(self._engine, expire_on_commit=False) as session:
            return session.scalars(wanted).first()

    def all(self, owner: str) -> list[SavedPlan]:
        """All plans of one owner, the last changed first."""
        wanted = select(SavedPlan).where(SavedPlan.owner == owner)
        with Session(self._engine, expire_on_commit=False) as session:
            return list(session.scalars(wanted.order_by(SavedPlan.changed.desc(), SavedPlan.id)))

    def delete(self, owner: str, identifier: str) -> bool:
        """Forget a plan; whether there was one."""
        with Session(self._engine) as session, session.begin():
            saved = self._find(session, owner, identifier)
            if saved is not None:
                session.delete(saved)
            return saved is not None

    @staticmethod
    def _find(session: Session, owner: str, identifier: str) -> SavedPlan | None:
        saved = session.get(SavedPlan, identifier)
        return saved if saved is not None and saved.owner == owner else None


def _commit(session: Session, title: str) -> None:
    try:
        session.commit()
    except IntegrityError:  # another server saved the same title in between
        raise _taken(title) from None


def _taken(title: str) -> CannotBeSaved:
    return CannotBeSaved("title", f"“{title}” is saved already; choose another title, or replace that one")
