"""The OpenAPI document and the running API agree, as seen by a tool that looks for the contrary."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.service import running

CONFIG = Path(__file__).with_name("schemathesis.toml")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        command = [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *(f"--config-file={CONFIG}", "run", f"{service.api}/openapi.json"),
            *("-H", f"Authorization: Bearer {service.token}"),
            *("--max-examples=25", "--generation-deterministic", "--no-color"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4000:]
    assert int(re.findall(r"Tested: (\d+)", done.stdout)[0]) >= 16
