"""The bench's load generator counts what a server really answered."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bench.load import Load, compile_load

BODY = b"x" * 300_000

pytestmark = pytest.mark.skipif(
    not (shutil.which("cc") or shutil.which("gcc")), reason="needs a C compiler"
)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bodies: list[bytes]

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (BODY[:1], BODY[1:70_000], BODY[70_000:]):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]  # set by the fixture
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.bodies = []  # type: ignore[attr-defined]  # what do_POST received
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    return compile_load(tmp_path_factory.mktemp("load"))


@pytest.mark.parametrize("discard", [False, True])
@pytest.mark.parametrize("path", ["/counted", "/chunked"])
def test_every_answer_and_every_byte_of_its_body_is_counted(
    load: Load, server: ThreadingHTTPServer, path: str, *, discard: bool
) -> None:
    measured = load.run(
        server.server_port, [f"GET {path}"], connections=3, responses=30, discard=discard
    )
    assert measured.responses == 30
    # The other connections may have been in the middle of theirs.
    assert 30 * len(BODY) <= measured.body_bytes < 33 * len(BODY)


def test_an_answer_that_is_no_success_fails_the_measurement(
    load: Load, server: ThreadingHTTPServer
) -> None:
    with pytest.raises(RuntimeError, match="status 404 to GET /missing"):
        load.run(server.server_port, ["GET /counted", "GET /missing"], responses=10)


def test_a_body_is_its_files_one_after_the_other(
    load: Load, server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    paths = []
    for name, content in (("before", b"<<"), ("content", BODY), ("after", b">>")):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    load.run(server.server_port, [f"POST /x {' '.join(map(str, paths))}"], responses=2)
    assert server.bodies == [b"<<" + BODY + b">>"] * 2  # type: ignore[attr-defined]  # set by the fixture
