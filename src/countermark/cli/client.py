"""An HTTP client of the service: what any client of the API does, step by step."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
import msgspec

from countermark.errors import CountermarkError

PIECE_BYTES = 1 << 20
UNDERSTOOD_SECONDS = 300.0
ENDED = frozenset({"SUCCESS", "FAILURE"})


class Upload(NamedTuple):
    """An upload under way: its id, and the id that its file will have."""

    id: str
    file_id: str


class Client:
    """Speaks to one service for one application; use as an async context manager.

    Args:
        base: The API's public base, without /v1.
        credentials: `client_id` and `client_secret`, or a `token` that is there already.
    """

    def __init__(self, base: str, credentials: dict[str, str]) -> None:
        self._credentials = credentials
        self._base = f"{base.rstrip('/')}/v1"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        token = self._credentials.get("token") or await self._new_token()
        self._session.headers["Authorization"] = f"Bearer {token}"
        return self

    async def _new_token(self) -> str:
        answer = await self.call(
            "POST",
            "/oauth2/token/",
            data={
                "grant_type": "client_credentials",
                "client_id": self._credentials["client_id"],
                "client_secret": self._credentials["client_secret"],
            },
        )
        return str(answer["access_token"])

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def upload_to(
        self, place: tuple[str, str], source: Path, sent: Callable[[int], None]
    ) -> Upload:
        """The three steps of an upload.

        Args:
            place: The pipeline's id and the object key.
            source: The file.
            sent: Told the bytes as they go.
        """
        params = {"pipeline_id": place[0], "object_key": place[1]}
        upload = (await self.call("POST", "/files/uploads/", params=params))["upload"]
        form = aiohttp.FormData(upload["form_post_params"])
        form.add_field("file", _pieces(source, sent), filename=source.name)
        # The form's policy authorizes the post; a bearer token has no business there.
        async with (
            aiohttp.ClientSession() as anonymous,
            anonymous.post(upload["form_post_url"], data=form) as answer,
        ):
            await _checked(answer)
        body = {"upload": {"nb_chunks": 1}}
        await self.call("PUT", f"/files/uploads/{upload['id']}", json=body)
        return Upload(upload["id"], upload["file"]["id"])

    async def wait_until_understood(self, upload: Upload) -> None:
        """Ask until the upload is COMPLETED."""
        async with asyncio.timeout(UNDERSTOOD_SECONDS):
            while True:
                state = (await self.call("GET", f"/files/uploads/{upload.id}"))["upload"]
                if state["status"] == "COMPLETED":
                    return
                if state["status"] == "FAILED":
                    raise CountermarkError(f"the upload failed: {state.get('error_msg')}")
                await asyncio.sleep(0.1)

    async def file(self, file_id: str) -> dict[str, Any]:
        """Everything known about a file."""
        answer = await self.call("GET", f"/files/{file_id}", params={"bin_data": "true"})
        return dict(answer["file"])

    async def link(self, file_id: str, *, streaming: bool, **options: str) -> str:
        """A signed link to the file."""
        params = {"file_id": file_id, "streaming": "true" if streaming else "false", **options}
        return str((await self.call("GET", "/files/downloads/", params=params))["url"])

    async def fetch(self, link: str, target: Path, received: Callable[[int], None]) -> None:
        """Download a link without any credentials."""
        async with aiohttp.ClientSession() as anonymous, anonymous.get(link) as answer:
            await _checked(answer)
            with target.open("wb") as file:
                async for piece in answer.content.iter_chunked(PIECE_BYTES):
                    file.write(piece)
                    received(len(piece))

    async def pipelines(self) -> list[dict[str, Any]]:
        """The pipelines, oldest first."""
        return list((await self.call("GET", "/pipelines/"))["pipelines"])

    async def preset_id(self, name: str) -> str:
        """The id of a preset, the user's own before what is built in.

        Raises:
            CountermarkError: there is none of this name.
        """
        presets = (await self.call("GET", "/presets/", params={"sort": "type"}))["presets"]
        known = {preset["name"]: preset["id"] for preset in reversed(presets)}
        if name not in known:
            raise CountermarkError(f"no preset is called {name!r}; known: {', '.join(known)}")
        return str(known[name])

    async def create_job(self, job: dict[str, Any]) -> dict[str, Any]:
        """Ask for a job."""
        return dict((await self.call("POST", "/jobs/", json={"job": job}))["job"])

    async def jobs(self, **params: str) -> dict[str, Any]:
        """A page of jobs."""
        return await self.call("GET", "/jobs/", params=params)

    async def job(self, job_id: str, **params: str) -> dict[str, Any]:
        """A job."""
        return dict((await self.call("GET", f"/jobs/{job_id}", params=params))["job"])

    async def tell_job(self, job_id: str, what: str) -> dict[str, Any]:
        """Cancel or retry a job."""
        return dict((await self.call("POST", f"/jobs/{job_id}/{what}"))["job"])

    async def follow(self, job_id: str) -> AsyncGenerator[dict[str, Any], None]:
        """A job whenever it has changed, until it has ended; connects again when it must."""
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async for job in self._events(job_id):
                    yield job
                    if job["status"] in ENDED:
                        return
            await asyncio.sleep(1)

    async def _events(self, job_id: str) -> AsyncIterator[dict[str, Any]]:
        url, endless = f"{self._base}/jobs/{job_id}/events", aiohttp.ClientTimeout(total=None)
        async with self._session.get(url, timeout=endless, read_bufsize=1 << 22) as answer:
            await _checked(answer)
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield dict(msgspec.json.decode(line[6:])["job"])

    async def call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """Any call of the API that answers with JSON."""
        try:
            async with self._session.request(method, self._base + path, **arguments) as answer:
                await _checked(answer)
                return dict(await answer.json())
        except aiohttp.ClientConnectionError as error:
            raise CountermarkError(f"{self._base} does not answer; is it running?") from error


async def _checked(answer: aiohttp.ClientResponse) -> None:
    if answer.status >= 400:  # noqa: PLR2004 - HTTP's errors
        raise CountermarkError(_told(await answer.text()) or f"the server answers {answer.status}")


def _told(text: str) -> str | None:
    """What an answer says is wrong."""
    with suppress(msgspec.MsgspecError, KeyError, TypeError):
        error = msgspec.json.decode(text)["error"]
        return f"{error['error_message']}. {error.get('error_detail', '')}".strip()
    return None


async def _pieces(source: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
            sent(len(piece))
