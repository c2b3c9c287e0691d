"""A whole service for a test: real processes in a temporary folder, on free ports."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import msgspec

from support.ports import free_ports

START_SECONDS = 60.0
STOP_SECONDS = 60.0

T = TypeVar("T")


def until(find: Callable[[], T | None], seconds: float = 30.0, what: str = "") -> T:
    """Ask again and again until there is an answer that is true; fail after the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what or find}")
        time.sleep(0.02)
    return found


class Service:
    """`countermark serve` as a process, and a client that has its credentials."""

    def __init__(self, folder: Path, *, edges: int = 1, **settings: str) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self._edges = edges
        api_port, edge_port = free_ports(2)
        self.api = f"http://127.0.0.1:{api_port}/v1"
        self.edge = f"http://127.0.0.1:{edge_port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERMARK_")}
        self.environ = inherited | {
            "COUNTERMARK_DATA_DIR": str(self.data_dir),
            "COUNTERMARK_API_PORT": str(api_port),
            "COUNTERMARK_EDGE_PORT": str(edge_port),
            **{f"COUNTERMARK_{name.upper()}": value for name, value in settings.items()},
        }
        self.log = folder / "service.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(timeout=30, follow_redirects=False)

    def __enter__(self) -> Self:
        try:
            self.start()
            self.credentials = self.command_json("app", "create", "tests", "--json")
            self.pipeline_id = self.credentials["pipeline_id"]
            self.token = self.new_token(self.credentials)
        except BaseException:
            self.kill()  # nobody else would
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.http.close()

    def start(self) -> None:
        """Start, and return when every part answers."""
        with self.log.open("ab") as output:
            at = self.log.stat().st_size
            self.process = subprocess.Popen(
                [sys.executable, "-m", "countermark", "serve", "--edges", str(self._edges)],
                env=self.environ,
                stdout=output,
                stderr=output,
            )
        process = self.process

        def up() -> bool:
            text = self.log.read_bytes()[at:]
            assert process.poll() is None, text.decode()
            return b"Countermark is up" in text

        until(up, START_SECONDS, "the service to start")

    def stop(self) -> int:
        """Stop as an operator does; give the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL the service and everything it started, all at once."""
        assert self.process is not None
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def command_json(self, *arguments: str) -> Any:
        """Run a command of the CLI that prints JSON."""
        command = [sys.executable, "-m", "countermark", *arguments]
        answer = subprocess.run(command, env=self.environ, check=True, capture_output=True)
        return msgspec.json.decode(answer.stdout)

    def new_token(self, credentials: dict[str, str]) -> str:
        """A bearer token with all of the application's scopes."""
        answer = self.http.post(
            f"{self.api}/oauth2/token/",
            data={
                "grant_type": "client_credential",
                "client_id": credentials["client_id"],
                "client_secret": credentials["client_secret"],
            },
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Call the API with the bearer token."""
        headers = {"Authorization": f"Bearer {self.token}"} | arguments.pop("headers", {})
        return self.http.request(method, self.api + path, headers=headers, **arguments)

    def announce(self, object_key: str, **params: Any) -> dict[str, Any]:
        """Step 1 of an upload."""
        params |= {"object_key": object_key, "pipeline_id": self.pipeline_id}
        answer = self.call("POST", "/files/uploads/", params=params)
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json()["upload"])

    def post(self, upload: dict[str, Any], content: Any, **fields: str) -> httpx.Response:
        """Step 2: one post of bytes."""
        data = upload["form_post_params"] | fields
        return self.http.post(
            upload["form_post_url"], data=data, files={"file": ("content", content)}
        )

    def finish(self, upload: dict[str, Any], nb_chunks: int = 1) -> httpx.Response:
        """Step 3."""
        body = {"upload": {"nb_chunks": nb_chunks}}
        return self.call("PUT", f"/files/uploads/{upload['id']}", json=body)

    def ended(self, upload: dict[str, Any], seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the upload is COMPLETED or FAILED; give what is known of it."""

        def look() -> dict[str, Any] | None:
            state = self.call("GET", f"/files/uploads/{upload['id']}").json()["upload"]
            return state if state["status"] in {"COMPLETED", "FAILED"} else None

        return until(look, seconds, f"upload {upload['id']} to end")

    def put_in(self, path: Path, object_key: str | None = None, **params: Any) -> dict[str, Any]:
        """The whole way in; give the file resource."""
        upload = self.announce(object_key or path.name, **params)
        with path.open("rb") as content:
            answer = self.post(upload, content)
        assert answer.status_code == 201, answer.text
        assert self.finish(upload).status_code == 200
        assert self.ended(upload)["status"] == "COMPLETED"
        return self.file(upload["file"]["id"])

    def file(self, file_id: str, **params: Any) -> dict[str, Any]:
        """A file resource."""
        answer = self.call("GET", f"/files/{file_id}", params=params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["file"])

    def link(self, file_id: str, **params: Any) -> str:
        """A signed link."""
        answer = self.call("GET", "/files/downloads/", params={"file_id": file_id, **params})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])


def descendants(pid: int) -> list[int]:
    """The ids of all processes below one (Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


@contextlib.contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Service]:
    """A service for the time of a block; its log is shown when the block fails."""
    with Service(folder, **settings) as service:
        try:
            yield service
        except BaseException:
            print(service.log.read_text()[-8000:])  # noqa: T201 - pytest shows it with the failure
            raise
