"""The API in this process, on a real catalog, store and ledger, with a clock that tests set."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from countermark.api.app import build_app
from countermark.api.operation import Shortcut
from countermark.api.parts import ApiParts
from countermark.catalog.database import Database
from countermark.catalog.job_records import JobRecord, PresetRecord
from countermark.catalog.readers import jobs as read_jobs
from countermark.catalog.records import (
    ApplicationRecord,
    FileRecord,
    NewFile,
    PipelineRecord,
    UserRecord,
)
from countermark.catalog.writers import accounts, files, job_runs, pipelines, presets
from countermark.catalog.writers.job_runs import Run
from countermark.ids import new_id
from countermark.links.hmac_request import sign
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.ledger import open_ledger
from countermark.settings import Settings
from countermark.storage.layout import part_note_key
from countermark.storage.local import LocalStore
from support.catalog import Owner

API_URL = "https://api.countermark.test"
EDGE_URL = "https://edge.countermark.test"
ALL_SCOPES = ("me", "mediahub", "mediahub_submit_jobs", "mediahub_download_files", "autograph")
NOW = 4_000_000_000_000  # ms; far ahead of the clock of whoever runs the tests


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Account:
    """A user with an application, a token, a pipeline; and calls in their name."""

    hub: "Hub"
    user: UserRecord
    application: ApplicationRecord
    pipeline: PipelineRecord
    token: str = ""

    async def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Call the API with the bearer token."""
        headers = {"Authorization": f"Bearer {self.token}"} | arguments.pop("headers", {})
        return await self.hub.http.request(method, path, headers=headers, **arguments)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """GET with the bearer token; parameters with a dot are given with two underscores."""
        named = {name.replace("__", "."): str(value) for name, value in params.items()}
        return await self.call("GET", path, params=named or None)

    async def new_token(self, **fields: str) -> str:
        """A token of the application."""
        secret = b64encode(self.application.client_secret).decode()
        form = {"grant_type": "client_credential", "client_id": self.application.id}
        answer = await self.hub.http.post(
            "/v1/oauth2/token/", data=form | {"client_secret": secret} | fields
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def signed(
        self, path_and_query: str, *, multi_use: bool | None = None, ahead: int = 600
    ) -> str:
        """Sign a URL; it expires this many seconds ahead."""
        until = self.hub.clock() // 1000 + ahead
        secret = self.application.client_secret
        return sign(path_and_query, self.application.id, secret, until, multi_use=multi_use)

    def add_file(self, object_key: str = "movie.mp4", **values: Any) -> FileRecord:
        """Register a file as the worker does."""
        known = {"size": 331_161, "mime_type": "video/mp4", "subtype": "video", "etag": "e1"}
        file_id = new_id()
        new = NewFile(
            id=file_id,
            user_id=self.user.id,
            application_id=self.application.id,
            pipeline_id=self.pipeline.id,
            object_key=object_key,
            blob_key=f"files/{file_id}",
            **(known | values),
        )
        with self.hub.database.write() as connection:
            return files.register(connection, new, self.hub.clock())

    def add_job(self, **values: Any) -> JobRecord:
        """Queue a job that nobody could do."""
        place = Owner(self.user, self.application, self.pipeline)
        with self.hub.database.write() as connection:
            return place.add_job(connection, now=self.hub.clock(), **values)

    def add_ended_job(self, file_id: str, preset_id: str) -> JobRecord:
        """A job that has succeeded, and that looks as if everything of it were this file."""
        job = self.add_job(
            outputs=[
                {
                    "preset": {"id": preset_id},
                    "output_name": "movie",
                    "settings": {"video": {"width": "50%"}},
                }
            ]
        )
        result = {"file_id": file_id, "thumbnail_zip_id": file_id, "image_ids": [file_id]}
        values = {"results": [result], "folder_id": self.pipeline.root_folder_id}
        values |= {"archive_id": file_id, "warnings": ["something"], "input_file_id": file_id}
        with self.hub.database.write() as connection:
            claimed = job_runs.claim_next(connection, "worker", self.hub.clock())
            while claimed and claimed.id != job.id:
                claimed = job_runs.claim_next(connection, "worker", self.hub.clock())
            assert claimed
            assert claimed.run
            job_runs.begin(connection, job.id, claimed.run, "worker", self.hub.clock())
            run = Run(job.id, claimed.run, 1)
            for status in ("ENCODING", "UPLOADING"):
                assert job_runs.advance(connection, run, status, self.hub.clock())
            assert job_runs.succeed(connection, run, values, self.hub.clock())
            ended = read_jobs.job(connection, self.user.id, job.id)
        assert ended is not None
        return ended

    def add_preset(self, name: str = "small") -> PresetRecord:
        """A preset of one's own: H.264 and AAC."""
        video = {"codec": {"id": "00000000000000c0dec00001"}, "profile": "High"}
        audio = {"codec": {"id": "00000000000000c0dec00011"}, "caps": {"max_channels": 2}}
        now = self.hub.clock()
        record = PresetRecord(
            id=new_id(),
            user_id=self.user.id,
            application_id=self.application.id,
            name=name,
            description=None,
            target_format={"container": "mp4", "vcodec": video, "acodec": audio},
            settings={"video": {"quality": 30}},
            created_at=now,
            updated_at=now,
        )
        with self.hub.database.write() as connection:
            presets.add_preset(connection, record)
        return record

    def add_archive(self, elements: list[str], object_key: str = "all.zip") -> FileRecord:
        """Make an archive of files."""
        with self.hub.database.write() as connection:
            return files.create_archive(
                connection,
                user_id=self.user.id,
                application_id=self.application.id,
                pipeline_id=self.pipeline.id,
                object_key=object_key,
                elements=elements,
                now=self.hub.clock(),
            )


@dataclass
class Hub:
    """Everything behind the API, and an HTTP client before it."""

    app: Shortcut
    http: httpx.AsyncClient
    database: Database
    store: LocalStore
    clock: Clock
    enqueued: list[str] = field(default_factory=list)

    async def account(self, name: str = "owner", scopes: tuple[str, ...] = ALL_SCOPES) -> Account:
        """A new user with all that belongs to one."""
        now = self.clock()
        with self.database.write() as connection:
            user = accounts.create_user(connection, name, now)
            application = accounts.create_application(connection, user.id, "app", scopes, now)
            pipeline = pipelines.create_pipeline(
                connection, user_id=user.id, application_id=application.id, name="films", now=now
            )
        account = Account(self, user, application, pipeline)
        account.token = await account.new_token()
        return account

    async def put_note(self, upload_id: str, chunk: int) -> None:
        """Let the store have the note of a chunk, as the edge leaves it."""

        async def note() -> AsyncIterator[bytes]:
            yield b"{}"

        await self.store.put(part_note_key(upload_id, chunk), note())


@asynccontextmanager
async def running(
    folder: Path,
    database: Database,
    *,
    change: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    **settings: Any,
) -> AsyncIterator[Hub]:
    """The API on a migrated catalog; `change` may put other parts in."""
    clock, enqueued = Clock(), list[str]()
    store = LocalStore(folder / "blobs")
    ring = KeyRing([LinkKey(1, b"k" * 32)])
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.sqlite'}")
    parts = {
        "settings": Settings(api_url=API_URL, edge_url=EDGE_URL, **settings),
        "database": database,
        "store": store,
        "ring": lambda: ring,
        "ledger": ledger,
        "enqueue_ingest": enqueued.append,
        "clock": clock,
    }
    app = build_app(ApiParts(**change(parts)))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=API_URL) as http:
        yield Hub(app, http, database, store, clock, enqueued)
    await ledger.close()


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of an error; fails if the shape is not that of the reference."""
    assert answer.headers["content-type"] == "application/json"
    (error,) = answer.json().values()
    assert set(answer.json()) == {"error"}
    assert set(error) <= {"error_code", "error_message", "error_detail"}
    return answer.status_code, error["error_code"], error["error_message"]
