"""The queue of jobs as a worker sees it: take what is next, and pick up what others dropped.

The catalog's rows are the queue, so all workers share one, and every worker looks after all of it:
jobs whose worker died are gone on with, jobs that nobody works on wait again, jobs that waited
too long end.
"""

from collections.abc import Callable, Iterable
from time import monotonic

import structlog
from dbos import DBOS

from countermark.catalog.job_records import JobRecord
from countermark.catalog.readers import jobs as read_jobs
from countermark.catalog.readers import workers as read_workers
from countermark.catalog.writers import job_runs
from countermark.catalog.writers import jobs as write_jobs
from countermark.catalog.writers import workers as write_workers
from countermark.errors import JobOverdueError
from countermark.work import workspace
from countermark.work.jobs import Workflow, start, workflow_id
from countermark.work.parts import WorkParts, now_ms

log = structlog.get_logger()

# Between taking a job and beginning its workflow lie milliseconds; this much is no accident.
DROPPED_MS = 15_000
ALIVE_STATES = frozenset({"PENDING", "ENQUEUED", "DELAYED"})


class JobQueue:
    """Takes jobs from the queue.

    Args:
        parts: What the worker is made of.
        workflow: What is done with a job.
    """

    def __init__(self, parts: WorkParts, workflow: Workflow) -> None:
        self._parts = parts
        self._workflow = workflow

    def feed(self) -> None:
        """Take jobs and begin to work on them, as many as this worker has room for."""
        while self._has_room():
            with self._parts.database.write() as connection:
                job = job_runs.claim_next(connection, self._parts.worker, now_ms())
            if job is None:
                return
            log.info("job taken", job=job.id, attempt=job.attempt)
            start(self._workflow, job)

    def _has_room(self) -> bool:
        with self._parts.database.read() as connection:
            if not read_jobs.any_waiting(connection):
                return False
            taken = read_jobs.count_of_worker(connection, self._parts.worker)
        return taken < self._parts.slots


def end_overdue(parts: WorkParts) -> None:
    """Fail jobs that have waited longer than their pipeline allows."""
    with parts.database.read() as connection:
        overdue = read_jobs.overdue(connection, now_ms())
    for job_id in overdue:
        with parts.database.write() as connection:
            write_jobs.end_waiting(connection, job_id, JobOverdueError(), now_ms())


def mend(parts: WorkParts) -> None:
    """Put jobs back into the queue that were taken and that no workflow works on.

    Such as those of a worker that died between the two, or whose database was away for so long
    that the workflow gave up.
    """
    before = now_ms() - DROPPED_MS
    with parts.database.read() as connection:
        running = [job for job in read_jobs.running(connection) if job.updated_at < before]
    alive = _alive(running)
    for job in running:
        if workflow_id(job.run or "") not in alive:
            with parts.database.write() as connection:
                given_back = job_runs.give_back(connection, job, now_ms())
            log.warning("job dropped", job=job.id, given_back=given_back)


def clear_workspaces(parts: WorkParts) -> None:
    """Remove the folders of jobs that have ended, here or elsewhere."""
    here = workspace.job_ids(parts.spool)
    with parts.database.read() as connection:
        unfinished = read_jobs.unfinished_ids(connection, here)
    for job_id in set(here) - unfinished:
        workspace.remove(parts.spool, job_id)


def _alive(jobs: Iterable[JobRecord]) -> set[str]:
    ids = [workflow_id(job.run or "") for job in jobs]
    if not ids:
        return set()
    found = DBOS.list_workflows(workflow_ids=ids, load_input=False, load_output=False)
    return {one.workflow_id for one in found if one.status in ALIVE_STATES}


class Watch:
    """Shows the others that this worker lives, and notices which of them do not.

    A worker is dead when its count has stood still for a while by this machine's clock; so no two
    clocks are compared.

    Args:
        parts: What the worker is made of.
        host: What people call this machine.
        clock: Seconds that only go forward.
    """

    def __init__(self, parts: WorkParts, host: str, clock: Callable[[], float] = monotonic) -> None:
        self._parts = parts
        self._host = host
        self._clock = clock
        self._seen: dict[str, tuple[int | None, float]] = {}

    def beat(self) -> None:
        """Show that this worker lives."""
        with self._parts.database.write() as connection:
            write_workers.beat(connection, self._parts.worker, self._host, now_ms())

    def take_over(self) -> None:
        """Go on with the workflows of workers that are dead, and forget these."""
        with self._parts.database.read() as connection:
            beats = read_workers.beats(connection)
        pending = DBOS.list_workflows(status=["PENDING"], load_input=False, load_output=False)
        owners = {one.executor_id for one in pending if one.executor_id}
        for worker in self.dead(beats, owners | beats.keys()):
            if worker in owners:
                log.warning("taking over from a dead worker", worker=worker)
                DBOS._recover_pending_workflows([worker])  # noqa: SLF001 - what DBOS's own service calls
            if worker in beats:
                with self._parts.database.write() as connection:
                    write_workers.forget(connection, worker, beats[worker])

    def dead(self, beats: dict[str, int], workers: Iterable[str]) -> list[str]:
        """Those of the workers that have not been seen to live for long enough.

        Args:
            beats: The count of each worker that has one.
            workers: Whom to judge.
        """
        now, dead = self._clock(), []
        seen = {}
        for worker in set(workers) - {self._parts.worker}:
            count = beats.get(worker)
            before = self._seen.get(worker, (None, now))
            seen[worker] = before if before[0] == count and worker in self._seen else (count, now)
            if now - seen[worker][1] >= self._parts.dead_after:
                dead.append(worker)
        self._seen = seen
        return dead
