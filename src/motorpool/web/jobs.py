"""Runs jobs one after the other, each in a process of its own, so that the page stays quick and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from sqlalchemy.exc import DBAPIError

from motorpool.simulation.scenario import Scenario
from motorpool.web.job_store import OPEN, Job, JobStore, State
from motorpool.web.work import RESULTS

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 10.0  # for a process that was asked to end


class Jobs:
    """The jobs of one server."""

    def __init__(self, store: JobStore, most_open: int) -> None:
        """Begin with what an earlier server left."""
        self.store, self._most_open = store, most_open
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin to run what waits."""
        self.store.wait_again()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the running process; its job goes on with the next server."""
        self._ending.set()
        self._wake.set()
        self._end_process()
        if self._thread is not None:
            self._thread.join(PATIENCE_SECONDS)
        self.store.close()

    def submit(self, scenario: Scenario) -> Job | None:
        """A new job for a scenario, or None where too many are open."""
        return self._add(scenario.title, scenario.model_dump_json(exclude_none=True))

    def submit_task(self, title: str, task: Mapping[str, Any]) -> Job | None:
        """A new job for a task of the laboratories (see `motorpool.web.tasks`), or None where too many are open."""
        return self._add(title[:200], json.dumps(task, allow_nan=False))

    def _add(self, title: str, asked: str) -> Job | None:
        job = self.store.add(title, asked, self._most_open)
        self._wake.set()
        return job

    def cancel(self, job: Job) -> bool:
        """End a job; what it had finished is kept until it is removed."""
        return self.store.change(job.id, OPEN, state="cancelled", stage="cancelled", ended=time.time())

    def resume(self, job: Job) -> bool:
        """Let a cancelled or failed job go on where it was."""
        left: tuple[State, ...] = ("cancelled", "failed")
        done = self.store.change(job.id, left, state="waiting", stage="waiting", message="", ended=None)
        self._wake.set()
        return done

    def remove(self, job: Job) -> bool:
        """Forget a job and its results; one that is open has to be cancelled first."""
        if job.state in OPEN:
            return False
        self.store.delete(job.id)
        shutil.rmtree(self.store.place(job.id), ignore_errors=True)
        return True

    def file(self, job: Job, name: str) -> Path | None:
        """A file of a finished job."""
        path = self.store.place(job.id) / RESULTS / name
        return path if job.state == "done" and path.is_file() else None

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._next()
            except DBAPIError:  # what ran waits again when the database is back
                logging.getLogger(__name__).exception("the database of jobs does not answer")
                self._ending.wait(PATIENCE_SECONDS)
                with contextlib.suppress(DBAPIError):
                    self.store.wait_again()

    def _next(self) -> None:
        job = self.store.take()
        if job is None:
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()
            return
        try:
            self._work(job)
        except OSError as error:
            self._failed(job, f"{error.filename or 'the disk'}: {error.strerror}")

    def _work(self, job: Job) -> None:
        folder = self.store.place(job.id)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / ".scenario.json"
        unfinished.write_text(job.scenario, encoding="utf-8")
        unfinished.replace(folder / "scenario.json")
        command = [sys.executable, "-P", "-m", "motorpool.web.work", str(folder)]
        with (
            (folder / "errors.txt").open("w", encoding="utf-8") as errors,
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as process,
        ):
            self._process = process
            watcher = threading.Thread(target=self._watch, args=(job,), daemon=True)
            watcher.start()
            problem = self._follow(job, process.stdout)
            code = process.wait()
            self._process = None
            watcher.join()
        if self._ending.is_set():
            return  # stays running in the table, and waits again with the next server
        if code == 0:
            self.store.change(job.id, ("running",), state="done", stage="done", share=1.0, ended=time.time())
        else:
            self._failed(
                job, problem or f"the process ended with exit code {code}; see {folder / 'errors.txt'}"
            )

    def _follow(self, job: Job, lines: IO[str] | None) -> str:
        problem, told = "", 0.0
        for line in lines or ():
            try:
                told_now = json.loads(line)
            except ValueError:
                continue
            problem = told_now.get("problem", problem)
            if "share" in told_now and time.monotonic() - told > LOOK_SECONDS:
                told = time.monotonic()
                stage, share = str(told_now["stage"])[:200], float(told_now["share"])
                with contextlib.suppress(DBAPIError):  # progress alone is not worth a run
                    self.store.change(job.id, ("running",), stage=stage, share=share)
        return problem

    def _watch(self, job: Job) -> None:
        """End the process when its job is cancelled."""
        process = self._process
        while process is not None and process.poll() is None:
            try:
                now = self.store.get(job.id)
            except DBAPIError:
                now = job
            if now is None or now.state != "running" or self._ending.is_set():
                self._end_process()
                return
            time.sleep(LOOK_SECONDS)

    def _end_process(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()

    def _failed(self, job: Job, message: str) -> None:
        self.store.change(
            job.id, ("running",), state="failed", stage="failed", message=message, ended=time.time()
        )
