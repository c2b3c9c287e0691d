"""Hostile files, and every way in which a probe can end, through real processes."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest

from countermark.media.description import Description
from countermark.media.protocol import EXIT_FAILED
from countermark.media.sandbox import Outcome, ProbeLimits, Sandbox, _judge, _reason
from support.media import make_video

PLAIN = Description(None, "video/mp4", "other")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(ProbeLimits(wall_seconds=20)) as sandbox:
        yield sandbox


@pytest.fixture
def stalling(tmp_path: Path) -> Path:
    """A file whose opening blocks: a pipe that nobody writes to."""
    path = tmp_path / "stalling.mp4"
    os.mkfifo(path)
    return path


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def is_stalled(pid: int) -> bool:
    """Tell whether a probe waits in opening its file: only the standard streams and its pipe."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "S" and len(list(Path(f"/proc/{pid}/fd").iterdir())) == 4


def zygote_of(sandbox: Sandbox) -> int:
    assert sandbox._zygote is not None
    return sandbox._zygote.pid


def test_a_video_is_described_without_loading_ffmpeg_into_the_service(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.3)
    program = (
        "import sys; from pathlib import Path\n"
        "from countermark.media.sandbox import ProbeLimits, Sandbox\n"
        "with Sandbox(ProbeLimits()) as sandbox:\n"
        f"    outcome = sandbox.describe(Path({str(path)!r}), 'a.mp4')\n"
        "print(outcome.description.subtype, outcome.problem, 'av' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"video None False\n"


def test_many_threads_share_a_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.3)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: sandbox.describe(path, "a.mp4"), range(24)))
    assert {outcome.problem for outcome in outcomes} == {None}
    assert {outcome.description.subtype for outcome in outcomes} == {"video"}
    until(lambda: not children(zygote_of(sandbox)))


def test_a_stalling_probe_is_killed_and_reaped_at_the_deadline(stalling: Path) -> None:
    with Sandbox(ProbeLimits(wall_seconds=0.3)) as sandbox:
        outcome = sandbox.describe(stalling, "a.mp4")
        assert outcome == Outcome(PLAIN, "Reading the file took longer than 0.3 seconds.")
        assert children(zygote_of(sandbox)) == []


def test_a_crashing_probe_leaves_a_plain_file_and_a_reason(
    sandbox: Sandbox, stalling: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sandbox.describe, stalling, "a.mp4")
        until(lambda: sandbox._zygote is not None and bool(children(zygote_of(sandbox))))
        os.kill(children(zygote_of(sandbox))[0], signal.SIGSEGV)
        assert waiting.result(10) == Outcome(PLAIN, "Reading the file crashed the media reader.")


def test_a_file_that_needs_too_much_memory_is_plain(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.3)
    with Sandbox(ProbeLimits(memory_bytes=32 * 2**20)) as sandbox:
        outcome = sandbox.describe(path, "a.mp4")
    # Some of FFmpeg's allocations are checked, some are not: which comes first is chance.
    assert outcome.description == PLAIN
    assert outcome.problem in {
        "Reading the file needs more than 32 MiB of memory.",
        "Reading the file crashed the media reader.",
    }


def test_an_answer_over_the_limit_is_refused(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.3)
    with Sandbox(ProbeLimits(output_bytes=100)) as sandbox:
        outcome = sandbox.describe(path, "a.mp4")
        assert outcome.description == PLAIN
        assert outcome.problem is not None
        until(lambda: not children(zygote_of(sandbox)))


def test_a_missing_file_is_plain(sandbox: Sandbox, tmp_path: Path) -> None:
    outcome = sandbox.describe(tmp_path / "none", "a.mp4")
    assert outcome == Outcome(PLAIN, "The file could not be opened.")


@pytest.mark.parametrize(
    "answer", [b"", b"\xc1", b"\x80", b"\xff" * 100, b"cos\nsystem\n(S'true'\ntR."]
)
def test_an_answer_that_is_not_a_description_is_a_problem(answer: bytes) -> None:
    assert _judge(answer, "a.mp4").description == PLAIN
    assert _judge(answer, "a.mp4").problem == "Reading the file gave no usable answer."


def test_reasons_tell_processor_time_from_crashes() -> None:
    limits = ProbeLimits(cpu_seconds=7)
    assert "7 seconds of processor time" in _reason(-signal.SIGXCPU, limits, overdue=False)
    assert "crashed" in _reason(-signal.SIGABRT, limits, overdue=False)
    assert "crashed" in _reason(EXIT_FAILED, limits, overdue=False)


def test_a_dead_zygote_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.3)
    sandbox.describe(path, "a.mp4")
    first = zygote_of(sandbox)
    os.kill(first, signal.SIGKILL)
    assert sandbox.describe(path, "a.mp4").problem is None
    assert zygote_of(sandbox) != first


def test_a_zygote_that_dies_during_a_probe_is_replaced_and_the_probe_repeated(
    sandbox: Sandbox, stalling: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sandbox.describe, stalling, "a.mp4")
        until(lambda: sandbox._zygote is not None and bool(children(zygote_of(sandbox))))
        until(lambda: is_stalled(children(zygote_of(sandbox))[0]))
        make_video(stalling.with_name("ready.mp4"), seconds=0.3).replace(stalling)
        os.kill(zygote_of(sandbox), signal.SIGKILL)
        outcome = waiting.result(10)
        assert (outcome.problem, outcome.description.subtype) == (None, "video")


def test_closing_ends_the_zygote_and_probes_under_way(stalling: Path) -> None:
    sandbox = Sandbox(ProbeLimits())
    failure: list[BaseException] = []

    def run() -> None:
        try:
            sandbox.describe(stalling, "a.mp4")
        except RuntimeError as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: sandbox._zygote is not None and bool(children(zygote_of(sandbox))))
    zygote = zygote_of(sandbox)
    probe = children(zygote)[0]
    sandbox.close()
    thread.join(10)
    assert is_gone(zygote)
    until(lambda: is_gone(probe))
    assert len(failure) == 1


def test_the_zygote_dies_with_a_service_that_is_killed(stalling: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path\n"
        "from countermark.media.sandbox import ProbeLimits, Sandbox\n"
        "sandbox = Sandbox(ProbeLimits())\n"
        "sandbox.describe(Path('/dev/null'), 'a')\n"
        "print(sandbox._zygote.pid, flush=True)\n"
        f"sandbox.describe(Path({str(stalling)!r}), 'a.mp4')\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        zygote = int(service.stdout.readline())
        until(lambda: bool(children(zygote)))
        probe = children(zygote)[0]
        service.kill()
    until(lambda: is_gone(zygote) and is_gone(probe))


def test_probes_see_no_secret_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERMARK_DATABASE_URL", "postgresql://user:secret@host/db")
    path = tmp_path / "a.txt"
    path.write_text("text")
    with Sandbox(ProbeLimits()) as sandbox:
        sandbox.describe(path, "a.txt")
        environment = Path(f"/proc/{zygote_of(sandbox)}/environ").read_bytes()
    assert b"secret" not in environment


def hls(address: str) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{address}\n#EXT-X-ENDLIST\n"


def concat(address: str) -> str:
    return f"ffconcat version 1.0\nfile '{address}'\nduration 2\n"


def dash(address: str) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{address}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )


def svg(address: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="64" height="64"><image xlink:href="{address}"/></svg>'
    )


@pytest.mark.parametrize("lure", [hls, concat, dash, svg])
@pytest.mark.parametrize("name", ["lure.mp4", "lure.m3u8"])
def test_no_file_steers_ffmpeg_to_another_file_or_to_the_network(
    sandbox: Sandbox, tmp_path: Path, lure: Callable[[str], str], name: str
) -> None:
    secret = make_video(tmp_path / "secret.mp4", seconds=0.3)
    path = tmp_path / name
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        for target in (address, f"file://{secret}", str(secret), secret.name):
            path.write_text(lure(target))
            assert sandbox.describe(path, name).description.subtype == "other"
        with pytest.raises(BlockingIOError):
            server.accept()


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("side", [2**31 - 1, 65535, 20000])
def test_a_picture_that_claims_a_huge_size_is_an_image_without_a_thumbnail(
    sandbox: Sandbox, tmp_path: Path, side: int
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(side, side))
    outcome = sandbox.describe(path, "bomb.png")
    assert outcome.description == Description(None, "image/png", "image")


def test_a_thousand_tracks_are_all_described(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "many.mkv"
    with av.open(str(path), "w") as container:
        streams = [
            container.add_stream("pcm_s16le", rate=48000, layout="mono") for _ in range(1000)
        ]
        frame = av.AudioFrame("s16", "mono", 1024)
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(streams[0].encode(frame))
    outcome = sandbox.describe(path, "many.mkv")
    assert outcome.problem is None
    assert outcome.description.audio_tracks is not None
    assert len(outcome.description.audio_tracks) == 1000


@pytest.mark.parametrize("kept", [0, 1, 7, 100, 3000])
def test_a_video_cut_off_before_its_index_is_plain_and_says_why(
    sandbox: Sandbox, tmp_path: Path, kept: int
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.5)
    path.write_bytes(path.read_bytes()[:kept])
    outcome = sandbox.describe(path, "a.mp4")
    assert outcome == Outcome(PLAIN, "The content is not the media that the name promises.")


def test_a_stream_cut_off_in_the_middle_is_described_as_far_as_it_goes(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.mkv", seconds=1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    outcome = sandbox.describe(path, "a.mkv")
    assert outcome.problem is None
    assert outcome.description.subtype == "video"
    assert outcome.description.thumbnail is not None
