"""The API as its real server serves it: what only shows on the wire."""

import base64
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from countermark.links.hmac_request import sign
from support.programs import program
from support.service import Service, running

CONFIG = Path(__file__).with_name("schemathesis.toml")
# Of each operation; `make fuzz` asks for more.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "6")

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("api")) as service:
        yield service


@pytest.fixture(scope="module")
def object_key(service: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("file") / "Käse & Wein+1%.txt"
    path.write_bytes(b"content")
    service.put_in(path)
    return path.name


def raw(service: Service, request: bytes) -> bytes:
    """Send bytes as they are and read all of the answer."""
    where = urlsplit(service.api)
    with socket.create_connection(
        (where.hostname or "", where.port or 0), timeout=20
    ) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


@pytest.mark.parametrize(
    "encoded",
    ["K%C3%A4se%20%26%20Wein%2B1%25.txt", "K%c3%a4se+%26+Wein%2b1%25%2etxt"],
)
def test_curl_follows_a_signed_url_however_it_is_encoded(
    service: Service, object_key: str, encoded: str, tmp_path: Path
) -> None:
    assert object_key
    secret = base64.b64decode(service.credentials["client_secret"])
    query = f"pipeline_id={service.pipeline_id}&object_key={encoded}&redirect=true"
    path = sign(
        f"/v1/files/downloads/?{query}",
        service.credentials["client_id"],
        secret,
        int(time.time()) + 60,
        multi_use=False,
    )
    url = service.api.removesuffix("/v1") + path
    command = [program("curl"), "-sSL", "-o", "out", "-w", "%{http_code}", url]
    codes = [
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
        for _ in range(2)
    ]
    assert codes == [b"200", b"403"]  # it may be used once


def test_one_spends_a_single_use_url_over_all_processes(service: Service, object_key: str) -> None:
    secret = base64.b64decode(service.credentials["client_secret"])
    file = service.call("GET", "/files/", params={"type": "file"}).json()["files"][0]
    assert file["name"] == object_key
    path = sign(
        f"/v1/files/downloads/?file_id={file['id']}",
        service.credentials["client_id"],
        secret,
        int(time.time()) + 60,
        multi_use=False,
    )
    url = service.api.removesuffix("/v1") + path
    twenty = ["-o", "/dev/null", url] * 20
    command = [program("curl"), "-s", "-Z", "-w", "%{http_code}\n", *twenty]
    codes = subprocess.run(command, check=True, capture_output=True).stdout.split()
    assert sorted(codes) == [b"200"] + [b"403"] * 19


@pytest.mark.parametrize(
    "target",
    [b"/v1/files/%ff", b"/v1/%00", b"/v1/files/?a=\xc3\xa4", b"/v1//files//", b"*", b"/%2e%2e/x"],
)
def test_a_strange_target_is_the_callers_error(service: Service, target: bytes) -> None:
    answer = raw(service, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer[:12] in {b"HTTP/1.1 403", b"HTTP/1.1 404", b"HTTP/1.1 400"}


def test_head_has_the_length_and_no_body(service: Service) -> None:
    answer = raw(service, b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: 15" in head.lower()
    assert body == b""


def test_a_body_without_end_is_cut_at_the_limit(service: Service) -> None:
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    answer = raw(
        service,
        b"POST /v1/oauth2/token/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk * 20
        + b"0\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"0x0000005" in answer


def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
        *(f"--config-file={CONFIG}", "run", f"{service.api}/openapi.json"),
        *("-H", f"Authorization: Bearer {service.token}"),
        *(f"--max-examples={EXAMPLES}", "--generation-deterministic", "--no-color"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4000:]
    assert int(re.findall(r"Tested: (\d+)", done.stdout)[0]) >= 16
