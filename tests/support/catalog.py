"""A user with an application and a pipeline, and short ways to put files there."""

import dataclasses
from typing import Any

import sqlalchemy as sa

from countermark.catalog.job_records import JobRecord, NewJob
from countermark.catalog.records import (
    ApplicationRecord,
    FileRecord,
    NewFile,
    PipelineRecord,
    UserRecord,
)
from countermark.catalog.writers import accounts, files, jobs, pipelines
from countermark.ids import new_id

NOW = 1_700_000_000_000


@dataclasses.dataclass(frozen=True)
class Owner:
    user: UserRecord
    application: ApplicationRecord
    pipeline: PipelineRecord

    def new_file(self, object_key: str, **values: Any) -> NewFile:
        """A file of this owner's that is not in the catalog yet."""
        file_id = values.pop("id", None) or new_id()
        known = {"blob_key": f"files/{file_id}", "size": 1000}
        return NewFile(
            id=file_id,
            user_id=self.user.id,
            application_id=self.application.id,
            pipeline_id=self.pipeline.id,
            object_key=object_key,
            **(known | values),
        )

    def add(
        self, conn: sa.Connection, object_key: str, *, now: int = NOW, **values: Any
    ) -> FileRecord:
        """Register a file."""
        return files.register(conn, self.new_file(object_key, **values), now)

    def add_job(self, conn: sa.Connection, *, now: int = NOW, **values: Any) -> JobRecord:
        """Queue a job that nobody could do."""
        known: dict[str, Any] = {
            "priority": 0,
            "input": {"input_name": "movie.mp4"},
            "input_file_id": None,
            "input_file_name": "movie.mp4",
            "autograph": None,
            "user_data": None,
            "output_prefix": "out",
            "outputs": [{"preset": {"id": "0" * 24}, "output_name": "movie"}],
        }
        new = NewJob(
            id=values.pop("id", None) or new_id(),
            user_id=self.user.id,
            application_id=self.application.id,
            pipeline_id=self.pipeline.id,
            **(known | values),
        )
        return jobs.create_job(conn, new, now)

    def add_archive(
        self, conn: sa.Connection, object_key: str, elements: list[str], **values: Any
    ) -> FileRecord:
        """Make an archive of files."""
        return files.create_archive(
            conn,
            user_id=self.user.id,
            application_id=self.application.id,
            pipeline_id=self.pipeline.id,
            object_key=object_key,
            elements=elements,
            now=NOW,
            **values,
        )


def make_owner(conn: sa.Connection, name: str = "owner") -> Owner:
    """Add a user with an application and a pipeline."""
    user = accounts.create_user(conn, name, NOW)
    application = accounts.create_application(conn, user.id, "test", ["mediahub"], NOW)
    pipeline = pipelines.create_pipeline(
        conn, user_id=user.id, application_id=application.id, name="default", now=NOW
    )
    return Owner(user, application, pipeline)
