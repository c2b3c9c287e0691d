"""Paging equals a sorted list, whatever is written, expires or is paged in between."""

import shutil
import tempfile
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import structs

from countermark.catalog import landmarks
from countermark.catalog.database import Database
from countermark.catalog.landmarks import rank
from countermark.catalog.readers import listing
from countermark.catalog.readers.files import FILES
from countermark.catalog.readers.listing import FileQuery
from countermark.catalog.records import FileRecord, NewFile
from countermark.catalog.writers import changes, files
from countermark.catalog.writers.pipelines import create_pipeline
from countermark.ids import new_id
from support.catalog import NOW, make_owner

Listing = tuple[str, tuple[str, ...], int | None, int | None]
SORTS = {
    "id": attrgetter("id"),
    "name": attrgetter("name"),
    "size": attrgetter("size"),
    "created_at": attrgetter("created_at"),
    "duration": attrgetter("duration"),
    "parents": attrgetter("parent_id"),
    "video_tracks": lambda file: file.video_tracks and len(file.video_tracks),
    "video_tracks.width": lambda file: file.video_tracks and file.video_tracks[0].get("width"),
}
TRACKS = st.none() | st.lists(
    st.fixed_dictionaries({}, optional={"width": st.integers(1, 3)}), min_size=1, max_size=2
)

NEW_FILES = st.fixed_dictionaries(
    {
        "key": st.tuples(
            st.sampled_from(["", "x/", "x/y/"]),
            # Ordered otherwise by UTF-16 or by locale than by bytes.
            st.sampled_from(["a", "B", "b", "é", "\N{GRINNING FACE}", "\ufb00"]),
            st.integers(0, 9),
        ),
        "size": st.sampled_from([0, 1, 1, 2**40]),
        "video_tracks": TRACKS,
        "lifetime": st.none() | st.integers(1, 9),
        "created_at": st.integers(NOW, NOW + 3),
        "job": st.none() | st.integers(0, 1),
    }
)


class Paging(RuleBasedStateMachine):
    """Files of one user in SQLite beside the same in a list."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="countermark-paging-"))
        path = self.folder / "catalog.sqlite"
        shutil.copy(self.template, path)
        self.database = Database(f"sqlite:///{path}")
        self.now = NOW

    # Few listings for each run, so that what is remembered of one is asked for again.
    @initialize(
        listings=st.lists(
            st.tuples(
                st.sampled_from(["id", "id", "name", "size", "size", *sorted(SORTS)]),
                st.sampled_from([(), (), ("file",), ("file", "folder"), ("folder",)]),
                st.sampled_from([None, None, 0, 1]),
                st.sampled_from([None, None, None, 0, 1]),
            ),
            min_size=1,
            max_size=3,
        ),
        drawn=st.lists(NEW_FILES, max_size=12),
        seed=st.integers(0, 9999),
    )
    def begin(self, listings: list[Listing], drawn: list[dict[str, Any]], seed: int) -> None:
        self.listings = listings
        self.random = Random(seed)  # noqa: S311 - picks pages, no secrets
        with self.database.write() as conn:
            self.owner = make_owner(conn)
            self.pipelines = [
                self.owner.pipeline,
                create_pipeline(
                    conn,
                    user_id=self.owner.user.id,
                    application_id=self.owner.application.id,
                    name="second",
                    now=NOW,
                ),
            ]
        self.jobs = [new_id(), new_id()]
        self.add(drawn)

    @rule(drawn=st.lists(NEW_FILES, min_size=1, max_size=4))
    def add(self, drawn: list[dict[str, Any]]) -> None:
        with self.database.write() as conn:
            for values in drawn:
                files.register(conn, self.new_file(dict(values)), self.now)

    def new_file(self, values: dict[str, Any]) -> NewFile:
        """A file as it was drawn, with its references in place."""
        lifetime, job, key = (values.pop(name) for name in ("lifetime", "job", "key"))
        new = self.owner.new_file(
            "".join(map(str, key)),
            expires_at=lifetime and self.now + lifetime,
            job_id=None if job is None else self.jobs[job],
            **values,
        )
        return structs.replace(new, pipeline_id=self.pipelines[key[-1] % 2].id)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        found = [file for file in self.visible() if file.type == "file"]
        if found:
            file = data.draw(st.sampled_from(found))
            with self.database.write() as conn:
                assert files.delete(conn, self.owner.user.id, file.id, self.now)

    @rule(ticks=st.integers(-2, 6))
    def pass_time(self, ticks: int) -> None:
        self.now += ticks

    @rule(limit=st.integers(1, 5))
    def expire(self, limit: int) -> None:
        with self.database.write() as conn:
            files.expire(conn, self.now, limit)

    # Hypothesis leaves out whole rules in most runs, so paging is none of them.
    @invariant()
    def pages_equal_the_sorted_list(self) -> None:
        for sort, types, pipeline, job in self.listings:
            direction = self.random.choice([1, -1])
            starts = [self.random.randrange(20) for _ in range(2)]
            self.page(sort, direction, types, pipeline, job, starts)

    def page(
        self,
        sort: str,
        direction: int,
        types: tuple[str, ...],
        pipeline: int | None,
        job: int | None,
        starts: list[int],
    ) -> None:
        expected = sorted(self.visible(), key=lambda file: rank(SORTS[sort](file), file.id))
        pipeline_id = None if pipeline is None else self.pipelines[pipeline].id
        job_id = None if job is None else self.jobs[job]
        chosen = [
            file
            for file in expected[::direction]
            if (not types or file.type in types)
            and pipeline_id in {None, file.pipeline_id}
            and job_id in {None, file.job_id}
        ]
        limit = self.random.randrange(8)
        for start in starts:
            query = FileQuery(
                self.owner.user.id,
                frozenset(types),
                pipeline_id,
                job_id,
                sort,
                direction,
                start,
                limit,
            )
            with self.database.read() as conn:
                page = listing.page(conn, query, self.now)
            assert page.total == len(chosen)
            assert page.files == chosen[start : start + limit]

    def visible(self) -> list[FileRecord]:
        """All files, by the plainest query."""
        with self.database.read() as conn:
            found = [FileRecord(*row) for row in conn.execute(FILES)]
        return [file for file in found if file.expires_at is None or file.expires_at > self.now]

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)


def test_paging_equals_a_sorted_list(
    sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small enough that forgetting, thinning and gaps in the journal happen, too.
    monkeypatch.setattr(landmarks, "LISTINGS", 2)
    monkeypatch.setattr(landmarks, "LANDMARKS", 5)
    monkeypatch.setattr(changes, "KEPT", 25)
    machine = type("Paging", (Paging,), {"template": sqlite_template})
    run = settings(
        max_examples=40,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase.settings = run  # type: ignore[attr-defined]  # Hypothesis makes it
    machine.TestCase().runTest()  # type: ignore[attr-defined]  # likewise
