"""The workflow of a job: from its input to files that are registered.

    begin → fetch → probe → encode, thumbnails of each output → deliver each → register → clear

Each arrow is a checkpoint. A worker that is killed inside a step does that step again, or another
worker does, once this one is known to be dead. Nothing of a job is visible before `register`,
which makes everything visible and ends the job in one transaction; what a job has stored and that
does not name goes with its end.
"""

from collections.abc import Callable
from threading import BoundedSemaphore
from typing import NamedTuple, ParamSpec, Self, TypeGuard, TypeVar

import msgspec
import structlog
from dbos import DBOS, SetWorkflowID

from countermark.catalog.job_records import JobRecord
from countermark.catalog.writers import job_runs
from countermark.errors import JobBrokenError, JobUnstableError, PublicError, UnavailableError
from countermark.work import job_input, job_output, job_register, workspace
from countermark.work.job_execution import Execution, JobLostError
from countermark.work.job_input import Probed, Source
from countermark.work.job_output import MadeOutput
from countermark.work.parts import JOB_WORKFLOW, WorkParts, now_ms

log = structlog.get_logger()

# A job that brings down its worker so often is not tried any more.
MOST_RUNS = 50
Workflow = Callable[[str, str], None]
P = ParamSpec("P")
R = TypeVar("R")


def define_jobs(parts: WorkParts) -> Workflow:
    """Register the workflow with DBOS; to be called once, before its launch."""
    steps = _Steps.defined()
    # Work that was taken over from dead workers waits its turn, too.
    turn = BoundedSemaphore(parts.slots)

    @DBOS.workflow(name=JOB_WORKFLOW, max_recovery_attempts=None)
    def job(job_id: str, run_id: str) -> None:
        with turn:
            record = _begin(parts, job_id, run_id)
            if record is not None and not _worked(steps, Execution(parts, record)):
                return  # what lies here is another execution's
        workspace.remove(parts.spool, job_id)

    return job


class _Steps(NamedTuple):
    """The steps as DBOS runs them: what they give is kept, and given again after a death."""

    fetch: Callable[[Execution], bytes]
    probe: Callable[[Execution, Source], bytes]
    encode: Callable[[Execution, int, Source, Probed], bytes]
    thumbnails: Callable[[Execution, int, Source, Probed, MadeOutput], bytes]
    deliver: Callable[[Execution, MadeOutput], None]
    register: Callable[[Execution, Source, list[MadeOutput]], None]
    fail: Callable[[Execution, PublicError], None]

    @classmethod
    def defined(cls) -> Self:
        """Register the steps."""

        def step(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
            return DBOS.step(
                name=f"job.{name}", retries_allowed=True, max_attempts=5, should_retry=_passing
            )

        @step("fetch")
        def fetch(execution: Execution) -> bytes:
            return msgspec.json.encode(job_input.fetch(execution))

        @step("probe")
        def probe(execution: Execution, source: Source) -> bytes:
            return msgspec.json.encode(job_input.probe(execution, source))

        @step("encode")
        def encode(execution: Execution, number: int, source: Source, about: Probed) -> bytes:
            return msgspec.json.encode(job_output.encode(execution, number, source, about))

        @step("thumbnails")
        def thumbnails(
            execution: Execution, number: int, source: Source, about: Probed, made: MadeOutput
        ) -> bytes:
            return msgspec.json.encode(
                job_output.make_thumbnails(execution, number, source, about, made)
            )

        deliver = step("deliver")(job_output.deliver)
        register = step("register")(job_register.enter_catalog)
        fail = DBOS.step(name="job.fail", retries_allowed=True, max_attempts=10)(_fail)
        return cls(fetch, probe, encode, thumbnails, deliver, register, fail)


def _worked(steps: _Steps, execution: Execution) -> bool:
    """Work until the job has ended; False if it was lost."""
    try:
        _check_runs(execution.job)
        _work(steps, execution)
    except JobLostError:
        log.info("job lost", job=execution.job.id)
        return False
    except Exception as error:
        if not _is_verdict(error):
            log.exception("job failed by the service", job=execution.job.id)
        steps.fail(execution, error if _is_verdict(error) else JobBrokenError())
    return True


def _work(steps: _Steps, execution: Execution) -> None:
    source = msgspec.json.decode(steps.fetch(execution), type=Source)
    about = msgspec.json.decode(steps.probe(execution, source), type=Probed)
    made = []
    for number in range(len(execution.job.outputs)):
        encoded = steps.encode(execution, number, source, about)
        output = msgspec.json.decode(encoded, type=MadeOutput)
        pictured = steps.thumbnails(execution, number, source, about, output)
        made.append(msgspec.json.decode(pictured, type=MadeOutput))
    # Only now: what lies elsewhere can't be taken back when another output fails.
    for output in made:
        steps.deliver(execution, output)
    steps.register(execution, source, made)


def start(workflow: Workflow, record: JobRecord) -> None:
    """Begin to work on a job that was taken from the queue."""
    run_id = record.run or ""
    with SetWorkflowID(workflow_id(run_id)):
        DBOS.start_workflow(workflow, record.id, run_id)


def workflow_id(run_id: str) -> str:
    """The workflow of a job that was taken from the queue with this run."""
    return f"job-{run_id}"


def _begin(parts: WorkParts, job_id: str, run_id: str) -> JobRecord | None:
    with parts.database.write() as connection:
        return job_runs.begin(connection, job_id, run_id, parts.worker, now_ms())


def _check_runs(record: JobRecord) -> None:
    if record.runs > MOST_RUNS:
        raise JobUnstableError


def _fail(execution: Execution, error: PublicError) -> None:
    with execution.parts.database.write() as connection:
        failed = job_runs.fail(connection, execution.run, error, now_ms())
    log.info("job failed", job=execution.job.id, code=error.code, lost=not failed)
    execution.parts.metrics.jobs.labels(error.code).inc()


def _is_verdict(error: BaseException) -> TypeGuard[PublicError]:
    """Whether the job's owner can be told what is wrong, and trying again would not help."""
    return isinstance(error, PublicError) and not isinstance(error, UnavailableError)


def _passing(error: BaseException) -> bool:
    return not (_is_verdict(error) or isinstance(error, JobLostError))
