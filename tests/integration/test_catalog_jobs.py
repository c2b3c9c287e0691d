"""The queue of jobs and what workers may do to them, on both databases."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from countermark.catalog.database import Database
from countermark.catalog.job_records import JobRecord
from countermark.catalog.job_states import STATUSES, sources
from countermark.catalog.job_tables import job_blobs, notifications
from countermark.catalog.ordering import Page
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import jobs as read_jobs
from countermark.catalog.readers.jobs import JobQuery
from countermark.catalog.tables import pipelines, trash
from countermark.catalog.writers import files as write_files
from countermark.catalog.writers import job_runs, jobs, uploads
from countermark.catalog.writers.job_runs import Run
from countermark.catalog.writers.notifications import LEASE_MS, put_off, settle, take_due
from countermark.errors import JobOverdueError, JobStateError
from support.catalog import NOW, Owner, make_owner


@pytest.fixture
def conn(database: Database) -> Iterator[sa.Connection]:
    with database.write() as connection:
        yield connection


@pytest.fixture
def owner(conn: sa.Connection) -> Owner:
    return make_owner(conn)


def _taken(conn: sa.Connection, worker: str = "w", now: int = NOW) -> JobRecord:
    job = job_runs.claim_next(conn, worker, now)
    assert job is not None
    return job


def _begun(conn: sa.Connection, job: JobRecord, now: int = NOW) -> Run:
    begun = job_runs.begin(conn, job.id, job.run or "", "w", now)
    assert begun
    return Run(job.id, begun.run or "", begun.runs)


def test_a_thousand_jobs_of_one_user_delay_anothers_by_one(
    conn: sa.Connection, owner: Owner
) -> None:
    other = make_owner(conn, "other")
    for _ in range(20):
        owner.add_job(conn)
    late = [other.add_job(conn, now=NOW + 1) for _ in range(2)]
    order = []
    for turn in range(5):
        job = _taken(conn, now=NOW + 10 + turn)
        order.append(job.user_id)
        run = _begun(conn, job)
        assert job_runs.fail(conn, run, JobOverdueError(), NOW + 10 + turn)
    assert order.count(other.user.id) == len(late)
    assert order[:4] in (
        [owner.user.id, other.user.id] * 2,
        [other.user.id, owner.user.id] * 2,
    )


def test_who_has_fewer_jobs_running_is_next(conn: sa.Connection, owner: Owner) -> None:
    other = make_owner(conn, "other")
    for _ in range(3):
        owner.add_job(conn)
        other.add_job(conn)
    users = [_taken(conn, now=NOW + turn).user_id for turn in range(4)]
    assert users.count(owner.user.id) == users.count(other.user.id) == 2


def test_higher_priorities_go_first_then_the_older(conn: sa.Connection, owner: Owner) -> None:
    low = owner.add_job(conn, priority=-5, now=NOW)
    first = owner.add_job(conn, now=NOW + 1)
    second = owner.add_job(conn, now=NOW + 2)
    high = owner.add_job(conn, priority=7, now=NOW + 3)
    taken = [_taken(conn, now=NOW + 10 + turn).id for turn in range(4)]
    assert taken == [high.id, first.id, second.id, low.id]
    assert job_runs.claim_next(conn, "w", NOW + 20) is None


def test_an_execution_that_has_lost_its_job_has_no_say(conn: sa.Connection, owner: Owner) -> None:
    owner.add_job(conn)
    job = _taken(conn)
    stale, current = _begun(conn, job), _begun(conn, job)
    assert not job_runs.advance(conn, stale, "ENCODING", NOW)
    assert job_runs.report(conn, stale, [50], 50, NOW) is None
    assert not job_runs.intend_blobs(conn, stale, ["a"], NOW)
    assert not job_runs.fail(conn, stale, JobOverdueError(), NOW)
    assert not job_runs.succeed(conn, stale, {}, NOW)
    assert job_runs.advance(conn, current, "ENCODING", NOW)
    assert job_runs.intend_blobs(conn, current, ["a", "b"], NOW)
    assert job_runs.fail(conn, current, JobOverdueError(), NOW)
    assert set(conn.scalars(sa.select(trash.c.blob_key))) == {"a", "b"}
    assert conn.scalar(sa.select(sa.func.count()).select_from(job_blobs)) == 0
    assert job_runs.begin(conn, job.id, job.run or "", "w", NOW) is None


def test_what_nobody_works_on_waits_again_and_what_somebody_does_stays(
    conn: sa.Connection, owner: Owner
) -> None:
    owner.add_job(conn)
    job = _taken(conn)
    _begun(conn, job, NOW + 5)
    assert not job_runs.give_back(conn, job, NOW + 6)
    seen = read_jobs.job_to_run(conn, job.id)
    assert seen
    assert job_runs.give_back(conn, seen, NOW + 7)
    assert _taken(conn).run != job.run


def test_only_a_failed_job_is_tried_again(conn: sa.Connection, owner: Owner) -> None:
    job = owner.add_job(conn)
    with pytest.raises(JobStateError):
        jobs.retry(conn, job.user_id, job.id, NOW)
    cancelled = jobs.cancel(conn, job.user_id, job.id, NOW)
    assert cancelled
    assert (cancelled.status, cancelled.error_code) == ("FAILURE", "0x0220004")
    again = jobs.retry(conn, job.user_id, job.id, NOW + 1)
    assert again
    assert (again.status, again.attempt, again.error_code) == ("QUEUED", 2, None)
    assert jobs.retry(conn, "f" * 24, job.id, NOW) is None
    assert jobs.cancel(conn, "f" * 24, job.id, NOW) is None


def test_a_job_that_runs_is_asked_to_end_and_not_deleted(conn: sa.Connection, owner: Owner) -> None:
    owner.add_job(conn)
    job = _taken(conn)
    run = _begun(conn, job)
    asked = jobs.cancel(conn, job.user_id, job.id, NOW + 1)
    assert asked
    assert (asked.status, asked.cancel_requested_at) == ("DOWNLOADING", NOW + 1)
    told = job_runs.report(conn, run, [1], 1, NOW + 2)
    assert told
    assert told.cancel_requested_at == NOW + 1
    with pytest.raises(JobStateError):
        jobs.delete_job(conn, job.user_id, job.id)


def test_jobs_that_waited_too_long_are_found(conn: sa.Connection, owner: Owner) -> None:
    conn.execute(sa.update(pipelines).values(cancel_timeout=60))
    job = owner.add_job(conn)
    assert read_jobs.overdue(conn, NOW + 59_999) == []
    assert read_jobs.overdue(conn, NOW + 60_000) == [job.id]
    assert jobs.end_waiting(conn, job.id, JobOverdueError(), NOW + 60_000)
    assert read_jobs.overdue(conn, NOW + 60_000) == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "abc"),
        ({"statuses": frozenset({"QUEUED"})}, "ab"),
        ({"autograph": True}, "b"),
        ({"autograph": False}, "ac"),
        ({"user_data": "mine"}, "a"),
        ({"input_name": "käSE"}, "a"),
        ({"input_name": "100%"}, "b"),
        ({"input_name": "_"}, ""),
        ({"in_progress": True}, "ab"),
        ({"in_progress": False}, "c"),
        ({"page": Page("created_at", -1, 0, 2)}, "cb"),
        ({"page": Page("input.file.name", 1)}, "bca"),
        ({"pipeline_id": "f" * 24}, ""),
    ],
)
def test_jobs_are_found_by_what_clients_ask_for(
    conn: sa.Connection, owner: Owner, filters: dict[str, Any], found: str
) -> None:
    owner.add_job(conn, id="a" * 24, user_data="mine", input_file_name="KÄSE.mp4")
    autograph = {"watermark_strength": "light"}
    owner.add_job(conn, id="b" * 24, autograph=autograph, input_file_name="100%.mp4", now=NOW + 1)
    owner.add_job(conn, id="c" * 24, input_file_name="C.mp4", now=NOW + 2)
    jobs.cancel(conn, owner.user.id, "c" * 24, NOW + 2)
    page = read_jobs.page(conn, JobQuery(owner.user.id, **filters), NOW + 3_600_000)
    assert "".join(job.id[0] for job in page.jobs) == found
    assert page.total == (3 if "page" in filters else len(found))


def test_an_upload_that_a_job_uses_is_kept_unless_its_client_said_otherwise(
    conn: sa.Connection, owner: Owner
) -> None:
    kept, ending = (_uploaded(conn, owner, given=given) for given in (False, True))
    for file_id in (kept, ending):
        owner.add_job(conn, input_file_id=file_id)
    ends = {
        file_id: record.expires_at if (record := _file(conn, owner, file_id)) else -1
        for file_id in (kept, ending)
    }
    assert ends == {kept: None, ending: NOW + 1000}


def test_the_input_of_an_unfinished_job_outlives_its_end(conn: sa.Connection, owner: Owner) -> None:
    file_id = _uploaded(conn, owner, given=True)
    job = owner.add_job(conn, input_file_id=file_id)
    assert write_files.expire(conn, NOW + 5000, 10) == 0
    assert read_files.file_to_use(conn, owner.user.id, file_id)
    jobs.cancel(conn, job.user_id, job.id, NOW + 5000)
    assert write_files.expire(conn, NOW + 5000, 10) == 1


def _uploaded(conn: sa.Connection, owner: Owner, *, given: bool) -> str:
    upload = uploads.create_upload(
        conn,
        user_id=owner.user.id,
        application_id=owner.application.id,
        pipeline_id=owner.pipeline.id,
        object_key=f"{given}.mp4",
        file_expires_at=NOW + 1000,
        ends_at=NOW + 1000,
        now=NOW,
        expiry_given=given,
    )
    return owner.add(conn, f"{given}.mp4", id=upload.file_id, expires_at=NOW + 1000).id


def _file(conn: sa.Connection, owner: Owner, file_id: str) -> Any:
    return read_files.file(conn, owner.user.id, file_id, NOW)


def test_events_of_a_job_are_told_with_it_and_taken_by_one_worker(
    conn: sa.Connection, owner: Owner
) -> None:
    conn.execute(sa.update(pipelines).values(ping_urls={"error": "https://a.example/e"}))
    job = owner.add_job(conn)
    jobs.cancel(conn, job.user_id, job.id, NOW)
    (taken,) = take_due(conn, NOW, 10)
    assert (taken.event, taken.attempts, taken.job_id) == ("error", 1, job.id)
    assert take_due(conn, NOW + LEASE_MS - 1, 10) == []
    put_off(conn, taken.id, NOW + 5000)
    (again,) = take_due(conn, NOW + 5000, 10)
    assert again.attempts == 2
    settle(conn, again.id)
    assert conn.scalar(sa.select(sa.func.count()).select_from(notifications)) == 0


@pytest.mark.parametrize("status", STATUSES)
def test_a_job_that_has_ended_goes_on_only_by_being_tried_again(status: Any) -> None:
    assert "SUCCESS" not in sources(status)
    assert ("FAILURE" in sources(status)) == (status == "QUEUED")
