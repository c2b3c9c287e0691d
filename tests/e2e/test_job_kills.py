"""Workers killed at any moment: every job ends right, once, and nothing of it is left lying."""

import asyncio
import os
import random
from pathlib import Path

import pytest
import sqlalchemy as sa

from countermark.catalog.job_records import JobRecord
from countermark.catalog.readers import jobs as read_jobs
from countermark.catalog.tables import files
from support.databases import PostgreSql
from support.media import make_video
from support.service import until
from support.workers import WorkerFarm, farm

pytestmark = pytest.mark.e2e

# `make soak` asks for 30 and 50.
JOBS = int(os.environ.get("SOAK_JOBS", "4"))
KILLS = int(os.environ.get("SOAK_KILLS", "6"))
SECONDS = 90.0 + 20.0 * KILLS


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", seconds=3.0)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    if "SOAK_JOBS" not in os.environ:
        pytest.skip("the whole of it is for `make soak`")
    server: PostgreSql = request.getfixturevalue("postgresql")
    return server.url(server.create())


@pytest.mark.timeout(SECONDS + 120)
def test_jobs_end_right_whenever_workers_are_killed(
    tmp_path: Path, film: Path, database_url: str
) -> None:
    chance = random.Random(20261126)  # noqa: S311 - a repeatable choice of moments
    with farm(tmp_path, database_url) as workers:
        file_id = workers.put_file(film, "film.mp4")
        jobs = [_ask(workers, file_id) for _ in range(JOBS)]
        for _ in range(2):
            workers.start()
        killed = 0
        while killed < KILLS:
            if workers.ended(len(jobs)):
                jobs.append(_ask(workers, file_id))
            killed += workers.kill_one(chance, seconds=1.5)
        workers.wait_for_end(len(jobs), SECONDS)
        until(lambda: not any(workers.litter().values()), 60, "all litter to be gone")
        for job in jobs:
            _check(workers, job.id)
        executions = sum(workers.job(job.id).runs for job in jobs)
        # A job may end between the last look at it and the kill.
        assert executions >= len(jobs) + KILLS // 2, "the kills met no jobs"
    assert asyncio.run(workers.store.sweep(0)) >= 0
    assert not any(workers.litter().values())


def _ask(workers: WorkerFarm, file_id: str) -> JobRecord:
    pictures = [{"names": "t", "settings": {"number": 2, "width": 160}}]
    return workers.ask(file_id, ["h264-360p", "audio-aac"], pictures=pictures)


def _check(workers: WorkerFarm, job_id: str) -> None:
    """The job succeeded, and has exactly its own files."""
    job = workers.job(job_id)
    assert (job.status, job.error_msg) == ("SUCCESS", None)
    assert job.results
    with workers.database.read() as connection:
        query = sa.select(files.c.name).where(files.c.job_id == job_id).order_by(files.c.name)
        names = list(connection.scalars(query))
    assert names == [
        "audio-aac.m4a",
        f"film_{job_id}",
        "h264-360p.mp4",
        "thumbnails_audio-aac_m4a.zip",
        "thumbnails_h264-360p_mp4.zip",
    ]


@pytest.mark.timeout(240)
def test_a_worker_whose_machine_never_comes_back_is_taken_over(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    film = make_video(tmp_path / "long.mp4", seconds=8.0, size=(854, 480))
    url = postgresql.url(postgresql.create())
    with farm(tmp_path, url, worker_timeout="3") as workers:
        job = workers.ask(workers.put_file(film, "film.mp4"), ["av1-720p"])
        lost = workers.start("machine-1")
        until(lambda: workers.job(job.id).status == "ENCODING", 120, "the job to be under way")
        lost.kill()
        lost.wait()
        workers.start("machine-2")
        workers.wait_for_end(1, 120)
        ended = workers.job(job.id)
        assert (ended.status, ended.runs) == ("SUCCESS", 2)
        with workers.database.read() as connection:
            assert read_jobs.running(connection) == []
        # The lost machine's own disk is its own; all that the others see is tidy.
        left = workers.litter()
        until(lambda: not workers.litter()["doomed"], 30, "the trash to be emptied")
        assert (left["missing"], left["intended"]) == ([], [])
