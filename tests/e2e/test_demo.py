"""What the README promises, run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.media import make_video
from support.programs import program
from support.service import Service, running, until

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.e2e


@pytest.mark.timeout(400)  # it makes a master of a film and traces a leak
def test_the_demo_works_from_end_to_end() -> None:
    command = [sys.executable, "-m", "countermark", "demo", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "byte for byte" in done.stdout
    assert "the leak was made from the copy of bruno@example.com" in done.stdout
    assert "All of it worked" in done.stdout


def test_the_readme_s_curl_commands_work(tmp_path: Path) -> None:
    program("curl")
    script = _curl_script((ROOT / "README.md").read_text(encoding="utf-8"))
    video = make_video(tmp_path / "intro.mp4", seconds=1.0)
    with running(tmp_path) as service:
        _run(service, script.partition("# what is known about it")[0], tmp_path)
        until(lambda: service.call("GET", "/files/?type=file").json()["total"] == 1)
        rest = script.partition("# what is known about it")[2]
        fetched = tmp_path / "fetched"
        fetched.mkdir()
        answer = _run(service, "#" + rest.replace("upload.json", "../upload.json"), fetched)
        assert '"url"' in answer
        assert (fetched / "intro.mp4").read_bytes() == video.read_bytes()


def _curl_script(readme: str) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    (script,) = [block for block in blocks if "CLIENT_SECRET=" in block]
    # The block's own assignments are for a person to fill in.
    return re.sub(r"^(API|CLIENT_ID)=.*\n", "", script, flags=re.MULTILINE)


def _run(service: Service, script: str, folder: Path) -> str:
    variables = {
        "API": service.api,
        "CLIENT_ID": service.credentials["client_id"],
        "CLIENT_SECRET": service.credentials["client_secret"],
        "PIPELINE_ID": service.pipeline_id,
        "TOKEN": service.token,
    }
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        cwd=folder,
        env=service.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
