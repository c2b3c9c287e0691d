"""Our side: the service started as a user would, and the few calls that a row needs of it."""

import base64
import json
import os
import sqlite3
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from bench import sample
from bench.client import call
from bench.processes import BIN, free_port, listeners, serving
from countermark.links.hmac_request import sign

BOUNDARY = "countermark-bench-5b0c9d"
MULTIPART = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
_EDGES = 2
_FINISH_SECONDS = 300


@dataclass(frozen=True)
class Frame:
    """What stands before and after the content in an upload's multipart body, and where it goes."""

    upload_id: str
    file_id: str
    target: str
    before: bytes
    after: bytes


@dataclass(frozen=True)
class Countermark:
    """A running service with one application and its token."""

    api_port: int
    edge_port: int
    process: psutil.Process
    pipeline_id: str
    token: str
    client_id: str
    client_secret: bytes

    def edges(self) -> list[psutil.Process]:
        """The processes that send and receive files' bytes."""
        return listeners(self.process, self.edge_port)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return call(self.api_port, method, path, body, self.token)

    def mint_upload(self, object_key: str) -> Frame:
        """The first step of an upload, and the form around its content."""
        query = urllib.parse.urlencode({"object_key": object_key, "pipeline_id": self.pipeline_id})
        upload = self.call("POST", f"/v1/files/uploads/?{query}")["upload"]
        url = urllib.parse.urlsplit(upload["form_post_url"])
        target = urllib.parse.urlunsplit(("", "", url.path, url.query, ""))
        fields = upload["form_post_params"].items()
        parts = [_part(f'name="{name}"') + f"{value}\r\n" for name, value in fields]
        parts.append(_part('name="file"; filename="content.bin"', "application/octet-stream"))
        after = f"\r\n--{BOUNDARY}--\r\n".encode()
        return Frame(upload["id"], upload["file"]["id"], target, "".join(parts).encode(), after)

    def finish_upload(self, frame: Frame) -> None:
        """The third step; returns once the file is there."""
        path = f"/v1/files/uploads/{frame.upload_id}"
        self.call("PUT", path, {"upload": {"nb_chunks": 1}})
        deadline = time.monotonic() + _FINISH_SECONDS
        while time.monotonic() < deadline:
            status = self.call("GET", path)["upload"]["status"]
            if status == "COMPLETED":
                return
            if status == "FAILED":
                break
            time.sleep(0.2)
        raise RuntimeError(f"the upload did not complete; it is {status}")

    def put_in(self, path: Path) -> None:
        """Upload a small file under its name."""
        frame = self.mint_upload(path.name)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.edge_port}{frame.target}",
            data=frame.before + path.read_bytes() + frame.after,
            headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        )
        with urllib.request.urlopen(request):
            pass
        self.finish_upload(frame)

    def worker_times(self) -> tuple[float, float]:
        """Seconds of processor time of the worker itself, and of the processes that it ran."""
        times = self._worker.cpu_times()
        return times.user + times.system, times.children_user + times.children_system

    def spent(self) -> float:
        """Seconds of processor time of the worker with the processes that it ran."""
        return sum(self.worker_times())

    @cached_property
    def _worker(self) -> psutil.Process:
        return next(
            process
            for process in self.process.children(recursive=True)
            if process.cmdline()[-2:] == ["worker", "--with-parent"]
        )

    def link(self, file_id: str, **options: str) -> str:
        """The target on the edge of a signed download link."""
        query = urllib.parse.urlencode({"file_id": file_id, **options})
        url = self.call("GET", f"/v1/files/downloads/?{query}")["url"]
        parts = urllib.parse.urlsplit(url)
        return urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))

    def signed_redirect(self, file_id: str) -> str:
        """A signed request's target on the API, good for an hour, that redirects to a link."""
        path = f"/v1/files/downloads/?file_id={file_id}&redirect=true"
        return sign(path, self.client_id, self.client_secret, int(time.time()) + 3600)

    def delete(self, file_id: str) -> None:
        self.call("DELETE", f"/v1/files/{file_id}")


def _part(disposition: str, content_type: str = "") -> str:
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n"


@contextmanager
def countermark(
    folder: Path, prepare: Callable[[Path], None] = lambda _catalog: None
) -> Iterator[Countermark]:
    """Run the service with two edges; `prepare` gets the catalog's path before the start."""
    folder.mkdir()
    api_port, edge_port = free_port(), free_port()
    environment = _environment(folder, api_port, edge_port)
    application = _application(environment)
    prepare(folder / "data" / "catalog.sqlite")
    command = [BIN / "countermark", "serve", "--edges", str(_EDGES)]
    with serving(command, [api_port, edge_port], folder, environment) as process:
        token = _token(api_port, application)
        yield Countermark(
            api_port,
            edge_port,
            process,
            application["pipeline_id"],
            token,
            application["client_id"],
            base64.b64decode(application["client_secret"]),
        )


def _environment(folder: Path, api_port: int, edge_port: int) -> dict[str, str]:
    ours = {
        "COUNTERMARK_DATA_DIR": str(folder / "data"),
        "COUNTERMARK_API_PORT": str(api_port),
        "COUNTERMARK_EDGE_PORT": str(edge_port),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERMARK")}
    return {**kept, **ours}


def _application(environment: Mapping[str, str]) -> dict[str, str]:
    command = [str(BIN / "countermark"), "app", "create", "bench", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`countermark app create` failed: {done.stderr.strip()[-2000:]}")
    return dict(json.loads(done.stdout))


def _token(port: int, application: Mapping[str, str]) -> str:
    credentials = {
        "grant_type": "client_credentials",
        "client_id": application["client_id"],
        "client_secret": application["client_secret"],
        "expires_in": "86400",
    }
    form = urllib.parse.urlencode(credentials).encode()
    return str(call(port, "POST", "/v1/oauth2/token/", form=form)["access_token"])


_FILL = """
WITH RECURSIVE counter(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counter WHERE i + 1 < :count)
INSERT INTO files (
    id, user_id, application_id, pipeline_id, job_id, parent_id, type, subtype, object_key, title,
    name, container, mime_type, md5_checksum, size, size_on_disk, duration, video_tracks,
    audio_tracks, blob_key, etag, finished_at, created_at, updated_at
) SELECT
    printf('%012x', :at + i) || lower(hex(randomblob(6))), pipelines.user_id,
    pipelines.application_id, pipelines.id, :job_id, pipelines.root_folder_id, 'file', 'video',
    'clip ' || i || '.mp4', 'clip ' || i, 'clip ' || i || '.mp4', :container, :mime_type,
    lower(hex(randomblob(16))), 8094037 + i, 8094037 + i, 24576, :video_tracks, :audio_tracks,
    'bench/' || i, lower(hex(randomblob(16))), :at + i, :at + i, :at + i
FROM counter, (SELECT * FROM pipelines ORDER BY id DESC LIMIT 1) AS pipelines
"""


def fill_catalog(path: Path, count: int, ids: list[str]) -> None:
    """Put `count` files (without bytes) into a stopped service's catalog, some ids into `ids`."""
    values = {
        "count": count,
        "at": sample.CREATED_AT,
        "job_id": sample.REFERENCE,
        "container": sample.CONTAINER,
        "mime_type": sample.MIME_TYPE,
        "video_tracks": json.dumps(sample.VIDEO_TRACKS),
        "audio_tracks": json.dumps(sample.AUDIO_TRACKS),
    }
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        with database:
            database.execute(_FILL, values)
            database.execute("UPDATE users SET files_version = files_version + 1")
        database.execute("ANALYZE")
        ids += sample.some_ids(database)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
