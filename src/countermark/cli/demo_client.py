"""The demo's HTTP client: what any client of the API does, step by step."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

from countermark.errors import CountermarkError

PIECE_BYTES = 1 << 20
UNDERSTOOD_SECONDS = 300.0
WORKED_SECONDS = 900.0


class Upload(NamedTuple):
    """An upload under way: its id, and the id that its file will have."""

    id: str
    file_id: str


class DemoClient:
    """Speaks to one service for one application; use as an async context manager."""

    def __init__(self, credentials: dict[str, str], api_port: str) -> None:
        self._credentials = credentials
        self._base = f"http://127.0.0.1:{api_port}/v1"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        answer = await self._call(
            "POST",
            "/oauth2/token/",
            data={
                "grant_type": "client_credentials",
                "client_id": self._credentials["client_id"],
                "client_secret": self._credentials["client_secret"],
            },
        )
        self._session.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def upload(self, source: Path, sent: Callable[[int], None]) -> Upload:
        """The three steps of an upload; `sent` is told the bytes as they go."""
        params = {
            "object_key": f"demo/{source.name}",
            "pipeline_id": self._credentials["pipeline_id"],
        }
        upload = (await self._call("POST", "/files/uploads/", params=params))["upload"]
        form = aiohttp.FormData(upload["form_post_params"])
        form.add_field("file", _pieces(source, sent), filename=source.name)
        # The form's policy authorizes the post; a bearer token has no business there.
        async with (
            aiohttp.ClientSession() as anonymous,
            anonymous.post(upload["form_post_url"], data=form) as answer,
        ):
            await _checked(answer)
        body = {"upload": {"nb_chunks": 1}}
        await self._call("PUT", f"/files/uploads/{upload['id']}", json=body)
        return Upload(upload["id"], upload["file"]["id"])

    async def wait_until_understood(self, upload: Upload) -> None:
        """Ask until the upload is COMPLETED."""
        async with asyncio.timeout(UNDERSTOOD_SECONDS):
            while True:
                state = (await self._call("GET", f"/files/uploads/{upload.id}"))["upload"]
                if state["status"] == "COMPLETED":
                    return
                if state["status"] == "FAILED":
                    raise CountermarkError(f"the upload failed: {state.get('error_msg')}")
                await asyncio.sleep(0.1)

    async def file(self, file_id: str) -> dict[str, Any]:
        """Everything known about a file."""
        answer = await self._call("GET", f"/files/{file_id}", params={"bin_data": "true"})
        return dict(answer["file"])

    async def files(self) -> dict[str, Any]:
        """The first page of the list of files."""
        return await self._call("GET", "/files/", params={"type": "file", "human": "true"})

    async def master(
        self, input_name: str, preset: str, done: Callable[[float], None]
    ) -> dict[str, Any]:
        """Have a job make an AutoGraph master of an uploaded file, and wait for it."""
        presets = (await self._call("GET", "/presets/", params={"type": "system"}))["presets"]
        named = {one["name"]: one["id"] for one in presets}
        body = {
            "pipeline": {"id": self._credentials["pipeline_id"]},
            "input": {"input_name": input_name},
            "autograph": {"watermark_strength": "light"},
            "outputs": [{"preset": {"id": named[preset]}}],
        }
        job = (await self._call("POST", "/jobs/", json={"job": body}))["job"]
        ended = await self._ended("job", f"/jobs/{job['id']}", done)
        return await self.file(ended["outputs"][0]["file"]["id"])

    async def trace(self, input_name: str, done: Callable[[float], None]) -> dict[str, Any]:
        """Have an uploaded leak traced, and wait for what is found."""
        body = {
            "pipeline": {"id": self._credentials["pipeline_id"]},
            "input": {"input_name": input_name},
        }
        made = await self._call("POST", "/backtraces/", json={"backtrace": body})
        path = f"/backtraces/{made['backtrace']['id']}"
        return await self._ended("backtrace", path, done)

    async def _ended(self, kind: str, path: str, done: Callable[[float], None]) -> dict[str, Any]:
        async with asyncio.timeout(WORKED_SECONDS):
            while True:
                state = (await self._call("GET", path))[kind]
                done(state["percentage_completed"] / 100)
                if state["status"] == "SUCCESS":
                    return dict(state)
                if state["status"] == "FAILURE":
                    raise CountermarkError(f"the {kind} failed: {state.get('error_msg')}")
                await asyncio.sleep(0.2)

    async def link(self, file_id: str, *, streaming: bool, **options: str) -> str:
        """A signed link to the file."""
        params = {"file_id": file_id, "streaming": "true" if streaming else "false", **options}
        return str((await self._call("GET", "/files/downloads/", params=params))["url"])

    async def fetch(self, link: str, target: Path, received: Callable[[int], None]) -> None:
        """Download a link without any credentials."""
        async with aiohttp.ClientSession() as anonymous, anonymous.get(link) as answer:
            await _checked(answer)
            with target.open("wb") as file:
                async for piece in answer.content.iter_chunked(PIECE_BYTES):
                    file.write(piece)
                    received(len(piece))

    async def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        async with self._session.request(method, self._base + path, **arguments) as answer:
            await _checked(answer)
            return dict(await answer.json())


async def _checked(answer: aiohttp.ClientResponse) -> None:
    if answer.status >= 400:  # noqa: PLR2004 - HTTP's errors
        raise CountermarkError(f"{answer.method} answered {answer.status}: {await answer.text()}")


async def _pieces(source: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
            sent(len(piece))
