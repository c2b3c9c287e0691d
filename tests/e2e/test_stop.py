"""A service that is told to stop while it still starts does not wait for anybody's patience."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.ports import free_port
from support.service import descendants, until

pytestmark = pytest.mark.e2e


def test_an_api_told_to_stop_while_its_workers_load_stops_by_itself(tmp_path: Path) -> None:
    environ = os.environ | {
        "COUNTERMARK_DATA_DIR": str(tmp_path / "data"),
        "COUNTERMARK_API_PORT": str(free_port()),
    }
    log = tmp_path / "api.log"
    with log.open("wb") as output:
        api = subprocess.Popen(
            [sys.executable, "-m", "countermark", "serve", "api"],
            env=environ,
            stdout=output,
            stderr=output,
        )
        try:
            until(lambda: descendants(api.pid), 60, "a worker")
            api.send_signal(signal.SIGTERM)
            api.wait(60)
        finally:
            api.kill()
            api.wait()
    assert "Killing worker" not in log.read_text()
