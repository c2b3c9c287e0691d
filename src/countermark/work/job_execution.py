"""One execution of a job, as its steps see it: what is to be done, and whether it still is."""

import time

import structlog

from countermark.catalog.job_records import JobRecord
from countermark.catalog.job_states import JobStatus
from countermark.catalog.readers import jobs as read_jobs
from countermark.catalog.writers import job_runs
from countermark.catalog.writers.job_runs import Run
from countermark.errors import JobCancelledError, UnavailableError
from countermark.work.parts import WorkParts, now_ms

log = structlog.get_logger()

REPORT_SECONDS = 1.0


class JobLostError(Exception):
    """Another execution has the job, or nobody needs it any more: leave everything as it is."""


class Execution:
    """One execution of a job.

    Args:
        parts: What the worker is made of.
        job: The job as it was when the execution began.
    """

    def __init__(self, parts: WorkParts, job: JobRecord) -> None:
        self.parts = parts
        self.job = job
        self.run = Run(job.id, job.run or "", job.runs)
        self._progress = list(job.progress or [0] * len(job.outputs))
        self._said = 0.0

    def refreshed(self) -> JobRecord:
        """The job as it is now.

        Raises:
            JobLostError: it is not this execution's any more.
            JobCancelledError: it is to end.
        """
        with self.parts.database.read() as connection:
            job = read_jobs.job_to_run(connection, self.job.id)
        return self._looked_at(job)

    def check(self) -> None:
        """Raise what `refreshed` raises."""
        self.refreshed()

    def enter(self, status: JobStatus) -> None:
        """Bring the job into another state; it may be in it already."""
        self.check()
        with self.parts.database.write() as connection:
            if not job_runs.advance(connection, self.run, status, now_ms()):
                raise JobLostError

    def report(self, output: int, part: float) -> None:
        """Say how far an output is, 0 to 1, and raise what `refreshed` raises."""
        self._progress[output] = max(self._progress[output], int(part * 100))
        self.tick()

    def tick(self) -> None:
        """Learn whether to go on: raise what `refreshed` raises.

        Called as often as one likes; it does something once a second. That the catalog does not
        answer for a while is no reason to stop.
        """
        if time.monotonic() < self._said + REPORT_SECONDS:
            return
        self._said = time.monotonic()
        percentage = min(99, sum(self._progress) // len(self._progress))
        try:
            with self.parts.database.write() as connection:
                job = job_runs.report(connection, self.run, self._progress, percentage, now_ms())
        except UnavailableError:
            log.warning("progress could not be told", job=self.job.id)
            return
        self._looked_at(job)

    def _looked_at(self, job: JobRecord | None) -> JobRecord:
        if job is None or (job.run, job.runs) != (self.run.id, self.run.number):
            raise JobLostError
        if job.cancel_requested_at is not None:
            raise JobCancelledError
        return job
