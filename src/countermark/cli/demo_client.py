"""The demo's client: one account, one pipeline, and waiting for what is done for it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from countermark.cli.client import Client, Upload
from countermark.errors import CountermarkError

__all__ = ["DemoClient", "Upload"]

WORKED_SECONDS = 900.0


class DemoClient(Client):
    """Speaks to the demo's service."""

    def __init__(self, credentials: dict[str, str], api_port: str) -> None:
        super().__init__(f"http://127.0.0.1:{api_port}", credentials)
        self._pipeline_id = credentials["pipeline_id"]

    async def upload(self, source: Path, sent: Callable[[int], None]) -> Upload:
        """The three steps of an upload; `sent` is told the bytes as they go."""
        return await self.upload_to((self._pipeline_id, f"demo/{source.name}"), source, sent)

    async def files(self) -> dict[str, Any]:
        """The first page of the list of files."""
        return await self.call("GET", "/files/", params={"type": "file", "human": "true"})

    async def master(
        self, input_name: str, preset: str, done: Callable[[float], None]
    ) -> dict[str, Any]:
        """Have a job make an AutoGraph master of an uploaded file, and wait for it."""
        job = await self.create_job(
            {
                "pipeline": {"id": self._pipeline_id},
                "input": {"input_name": input_name},
                "autograph": {"watermark_strength": "light"},
                "outputs": [{"preset": {"id": await self.preset_id(preset)}}],
            }
        )
        ended = await self._ended("job", f"/jobs/{job['id']}", done)
        return await self.file(ended["outputs"][0]["file"]["id"])

    async def trace(self, input_name: str, done: Callable[[float], None]) -> dict[str, Any]:
        """Have an uploaded leak traced, and wait for what is found."""
        body = {"pipeline": {"id": self._pipeline_id}, "input": {"input_name": input_name}}
        made = await self.call("POST", "/backtraces/", json={"backtrace": body})
        path = f"/backtraces/{made['backtrace']['id']}"
        return await self._ended("backtrace", path, done)

    async def _ended(self, kind: str, path: str, done: Callable[[float], None]) -> dict[str, Any]:
        async with asyncio.timeout(WORKED_SECONDS):
            while True:
                state = (await self.call("GET", path))[kind]
                done(state["percentage_completed"] / 100)
                if state["status"] == "SUCCESS":
                    return dict(state)
                if state["status"] == "FAILURE":
                    raise CountermarkError(f"the {kind} failed: {state.get('error_msg')}")
                await asyncio.sleep(0.2)
