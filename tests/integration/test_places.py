"""Files elsewhere are fetched and sent whole, or the reason is a public error without secrets."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web
from obstore.store import S3Store

from countermark.errors import (
    PlaceInvalidError,
    PlaceRefusedError,
    PlaceSlowError,
    PlaceTooLargeError,
    PlaceUnreachableError,
    PublicError,
    StorageFullError,
)
from countermark.storage.place import parse, shown
from countermark.work.places.transfer import TransferLimits, fetch, send
from support.elsewhere import PASSWORD, USER, Handler, http_server, sftp_server
from support.seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, seaweed

CONTENT = bytes(range(256)) * 8192
QUICK = TransferLimits(internal=True, stall_seconds=5, retry_seconds=0.01)


def ignore(_done: int, _size: int | None) -> None:
    pass


class Ranged:
    """Serves CONTENT by ranges, and breaks off after so many bytes of each answer.

    Attributes:
        asked: The Range header of each request.
        changes: Whether the content is another one each time.
        knows_ranges: Whether the server does.
    """

    def __init__(self, most: int, *, changes: bool = False, knows_ranges: bool = True) -> None:
        self.most, self.changes, self.knows_ranges = most, changes, knows_ranges
        self.asked: list[str | None] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers.get("Range"))
        etag = f'"{len(self.asked) if self.changes else 1}"'
        start = 0
        if self.knows_ranges and request.headers.get("If-Range") == etag and self.asked[-1]:
            start = int(self.asked[-1].removeprefix("bytes=").rstrip("-"))
        answer = web.StreamResponse(status=206 if start else 200, headers={"ETag": etag})
        answer.content_length = len(CONTENT) - start
        if start:
            answer.headers["Content-Range"] = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        await answer.prepare(request)
        await answer.write(CONTENT[start : start + self.most])
        if start + self.most < len(CONTENT):
            assert request.transport is not None
            request.transport.close()
        return answer


def fetched(handler: Handler, path: Path, limits: TransferLimits = QUICK) -> bytes:
    with http_server(handler) as url:
        fetch(f"{url}/a.mp4", path, limits, ignore)
    return path.read_bytes()


def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    server = Ranged(most=700_000)
    assert fetched(server, tmp_path / "input") == CONTENT
    assert server.asked[0] is None
    assert all(asked and asked.startswith("bytes=") for asked in server.asked[1:])
    assert [path.name for path in tmp_path.iterdir()] == ["input"]


def test_without_ranges_it_begins_anew(tmp_path: Path) -> None:
    whole = iter((1000, len(CONTENT)))

    async def serve(request: web.Request) -> web.StreamResponse:
        return await Ranged(next(whole), knows_ranges=False)(request)

    assert fetched(serve, tmp_path / "input") == CONTENT


def test_content_that_changes_in_between_is_never_mixed(tmp_path: Path) -> None:
    answers = iter((b"a" * 500_000, b"b" * 900_000))

    async def serve(request: web.Request) -> web.StreamResponse:
        content = next(answers)
        answer = web.StreamResponse(headers={"ETag": f'"{content[:1].decode()}"'})
        answer.content_length = len(content)
        await answer.prepare(request)
        await answer.write(content[: 500_000 if content[:1] == b"b" else 300_000])
        if content[:1] == b"b":
            await answer.write(content[500_000:])
        else:
            assert request.transport is not None
            request.transport.close()
        return answer

    assert fetched(serve, tmp_path / "input") == b"b" * 900_000


def test_a_server_that_goes_on_with_other_content_is_asked_anew(tmp_path: Path) -> None:
    asked: list[str | None] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        start = int(asked[-1].removeprefix("bytes=").rstrip("-")) if asked[-1] else 0
        content = (b"a" if len(asked) == 1 else b"b") * 900_000
        headers = {"ETag": f'"{content[:1].decode()}"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-899999/900000"
        answer = web.StreamResponse(status=206 if start else 200, headers=headers)
        answer.content_length = len(content) - start
        await answer.prepare(request)
        await answer.write(content[start : 300_000 if len(asked) == 1 else None])
        if len(asked) == 1:
            assert request.transport is not None
            request.transport.close()
        return answer

    assert fetched(serve, tmp_path / "input") == b"b" * 900_000
    assert [bool(one) for one in asked] == [False, True, False]


def test_a_killed_worker_s_download_is_continued_by_the_next(tmp_path: Path) -> None:
    server, path = Ranged(most=700_000), tmp_path / "input"
    program = (
        "from pathlib import Path\n"
        "from countermark.work.places.transfer import TransferLimits, fetch\n"
        "limits = TransferLimits(internal=True, retry_seconds=60)\n"
        f"fetch('URL/a.mp4', Path({str(path)!r}), limits, lambda done, size: None)\n"
    )
    with http_server(server) as url:
        with subprocess.Popen([sys.executable, "-c", program.replace("URL", url)]) as worker:
            deadline = time.monotonic() + 30
            while not (part := tmp_path / "input.part").exists() or part.stat().st_size < 500_000:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            os.kill(worker.pid, signal.SIGKILL)
        fetch(f"{url}/a.mp4", path, QUICK, ignore)
    assert path.read_bytes() == CONTENT
    assert server.asked[1] is not None


async def _missing(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


async def _forbidden(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPForbidden


async def _failing(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPBadGateway


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(bytes(65536))


async def _huge(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    answer.content_length = 1 << 50
    await answer.prepare(request)
    return answer


async def _stalling(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    await asyncio.Event().wait()
    return answer


@pytest.mark.parametrize(
    ("handler", "limits", "error"),
    [
        (_missing, {}, PlaceRefusedError),
        (_forbidden, {}, PlaceRefusedError),
        (_failing, {}, PlaceUnreachableError),
        (_endless, {"most_bytes": 1 << 20}, PlaceTooLargeError),
        (_huge, {}, PlaceTooLargeError),
        (_endless, {"wall_seconds": 0.6}, PlaceSlowError),
        (_stalling, {"stall_seconds": 0.05}, PlaceUnreachableError),
    ],
)
def test_a_source_that_cannot_be_had_ends_in_a_public_error(
    tmp_path: Path, handler: Handler, limits: dict[str, float], error: type[PublicError]
) -> None:
    with pytest.raises(error) as caught:
        fetched(handler, tmp_path / "input", QUICK._replace(**limits))  # type: ignore[arg-type]
    assert caught.value.detail
    assert not (tmp_path / "input").exists()


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.org/a",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "/etc/passwd",
        "https://",
        "https://example.org",
        "https://example.org:99999/a",
        "https://exa mple.org/a",
        "s3://bucket/key?acl=public",
        "s3://bucket/key?endpoint=http://example.org",
        "sftp://user:secret@example.org/a",
        "sftp://example.org/a?host_key=SHA256:abc",
        "concat:a|b",
    ],
)
def test_an_address_of_no_known_form_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(PlaceInvalidError) as caught:
        fetch(uri, tmp_path / "input", TransferLimits(), ignore)
    assert "secret" not in str(caught.value)


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    uri = "s3://key:hunter2@bucket/films/a.mp4?region=x&token=hunter2"
    assert shown(uri) == "s3://bucket/films/a.mp4?…"
    assert "hunter2" not in repr(parse("sftp://u:hunter2@host/a?host_key=SHA256:x"))


def test_a_transfer_is_ended_by_an_error_of_who_is_told_its_progress(tmp_path: Path) -> None:
    class CancelledError(Exception):
        pass

    def cancel(_done: int, _size: int | None) -> None:
        raise CancelledError

    with http_server(_stalling) as url, pytest.raises(CancelledError):
        fetch(f"{url}/a", tmp_path / "input", QUICK, cancel)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))  # which errs as a full disk does
    try:
        with pytest.raises(StorageFullError):
            fetched(Ranged(most=len(CONTENT)), tmp_path / "input")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_is_put_behind_http(tmp_path: Path) -> None:
    received: dict[str, bytes] = {}

    async def put(request: web.Request) -> web.StreamResponse:
        received[f"{request.method} {request.path}"] = await request.read()
        return web.Response(status=201)

    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    with http_server(put) as url:
        send(f"{url}/out/a.mp4", file, QUICK, ignore)
    assert received == {"PUT /out/a.mp4": CONTENT}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with seaweed(tmp_path_factory.mktemp("weed")) as endpoint:
        yield endpoint


def test_an_object_goes_to_s3_and_comes_back(endpoint: str, tmp_path: Path) -> None:
    S3Store(
        BUCKET,
        config={
            "endpoint": endpoint,
            "region": "us-east-1",
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
        },
        client_options={"allow_http": True},
    )
    file, back = tmp_path / "file", tmp_path / "input"
    file.write_bytes(CONTENT * 10)
    base = f"s3://{ACCESS_KEY}:{SECRET_KEY}@{BUCKET}"
    uri = f"{base}/films/a%20b.mp4?endpoint={quote(endpoint)}"
    send(uri, file, QUICK, ignore)
    fetch(uri, back, QUICK, ignore)
    assert back.read_bytes() == CONTENT * 10
    for wrong in (
        f"{base}/none?endpoint={quote(endpoint)}",
        f"s3://{ACCESS_KEY}:wrong@{BUCKET}/films/a%20b.mp4?endpoint={quote(endpoint)}",
    ):
        with pytest.raises(PlaceRefusedError) as caught:
            fetch(wrong, tmp_path / "none", QUICK, ignore)
        assert SECRET_KEY not in str(caught.value)


def test_the_service_s_own_credentials_never_leave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, f"own-{name}")
    seen: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        seen.append(str(dict(request.headers)))
        raise web.HTTPForbidden

    with http_server(note) as url:
        for user in ("", "key:word@"):
            with pytest.raises(PublicError):
                fetch(f"s3://{user}bucket/a?endpoint={quote(url)}", tmp_path / "a", QUICK, ignore)
    assert len(seen) >= 2
    assert "own-" not in str(seen)
    assert "key/" in seen[-1]


def test_a_file_goes_to_sftp_and_comes_back(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    file, back = tmp_path / "file", tmp_path / "input"
    file.write_bytes(CONTENT)
    with sftp_server(root) as (host, key):
        base = f"sftp://{USER}:{quote(PASSWORD, safe='')}@{host}"
        send(f"{base}/a.mp4?host_key={quote(key)}", file, QUICK, ignore)
        assert [path.name for path in root.iterdir()] == ["a.mp4"]
        fetch(f"{base}/a.mp4?host_key={quote(key)}", back, QUICK, ignore)
        assert back.read_bytes() == CONTENT
        for wrong in (
            f"{base}/none?host_key={quote(key)}",
            f"{base}/a.mp4?host_key=SHA256:wrong",
            f"sftp://{USER}:wrong@{host}/a.mp4?host_key={quote(key)}",
        ):
            with pytest.raises(PlaceRefusedError) as caught:
                fetch(wrong, tmp_path / "none", QUICK, ignore)
            assert PASSWORD not in str(caught.value)


def test_a_half_fetched_file_is_continued_by_sftp(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.mp4").write_bytes(CONTENT)
    about = (root / "a.mp4").stat()
    # The first half is marked, so that it shows whether it was fetched again.
    (tmp_path / "input.part").write_bytes(b"!" + CONTENT[1:1_000_000])
    (tmp_path / "input.note").write_text(f'{{"identity": "{about.st_size}-{int(about.st_mtime)}"}}')
    with sftp_server(root) as (host, key):
        uri = f"sftp://{USER}:{quote(PASSWORD, safe='')}@{host}/a.mp4?host_key={quote(key)}"
        fetch(uri, tmp_path / "input", QUICK, ignore)
    assert (tmp_path / "input").read_bytes() == b"!" + CONTENT[1:]
