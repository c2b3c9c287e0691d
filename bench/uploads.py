"""Uploads from the first byte to the answer, beside nginx writing the same bytes to disk."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.load import Measured
from bench.peers import Nginx, nginx
from bench.processes import forget_peaks, peak_memory
from bench.results import Row, alternate, faster
from bench.run import Run, temporary_folder, write_content
from bench.service import MULTIPART, Countermark, Frame, countermark

_SHAPES = ((1, 512 << 20), (8, 64 << 20))  # parallel posts, bytes of each
_REACH = 0.8
_PLAIN = (
    "The peer neither takes a checksum nor waits for the disk. Ours does both: the MD5 alone keeps"
    " one core from more than about 0.7 GB/s."
)
_DIGESTED = "The peer's file is read again for its MD5; it still does not wait for the disk."
_PEAK_GROWTH = 64 << 20  # bytes: far below what is uploaded, above the noise of an allocator


def rows(run: Run) -> Iterator[Row]:
    """Megabytes of content per second, and the most memory that one edge took for it."""
    with (
        temporary_folder() as folder,
        nginx(folder / "nginx", folder) as peer,
        countermark(folder / "ours") as ours,
    ):
        peaks: list[int] = []
        for count, size in _SHAPES:
            content = folder / "content.bin"
            write_content(content, size // run.scale)
            for digested in (False, True):
                yield _rate_row(run, ours, peer, [content] * count, peaks, digested=digested)
        yield _memory_row(max(peaks))


def _rate_row(
    run: Run,
    ours: Countermark,
    peer: Nginx,
    contents: Sequence[Path],
    peaks: list[int],
    *,
    digested: bool,
) -> Row:
    size = contents[0].stat().st_size

    def to_ours() -> float:
        frames, measured, growth = _post(run, ours, contents)
        peaks.append(growth)
        for frame in frames:
            ours.finish_upload(frame)
            ours.delete(frame.file_id)
        return size * len(contents) / measured.seconds / 1e6

    def to_peer() -> float:
        return size * len(contents) / _put(run, peer, contents, digested=digested) / 1e6

    pair = alternate(to_ours, to_peer, run.rounds)
    what = f"upload, {len(contents)} x {size >> 20} MiB" + ", beside PUT then MD5" * digested
    return faster(what, pair, "MB/s", _REACH, _DIGESTED if digested else _PLAIN)


def _memory_row(growth: int) -> Row:
    text = f"{growth / 1e6:,.1f} MB"
    limit = f"≤ {_PEAK_GROWTH >> 20} MB"
    reached = growth <= _PEAK_GROWTH
    return Row("upload, growth of an edge at its peak", text, "", None, limit, reached)


def put_file(run: Run, ours: Countermark, content: Path) -> str:
    """Upload a file all the way; the new file's id."""
    frames, *_ = _post(run, ours, [content])
    ours.finish_upload(frames[0])
    return frames[0].file_id


def _post(
    run: Run, ours: Countermark, contents: Sequence[Path]
) -> tuple[list[Frame], Measured, int]:
    frames = [ours.mint_upload(f"{os.urandom(8).hex()}.bin") for _ in contents]
    requests = [
        f"POST {frame.target} {' '.join(map(str, _body(frame, content)))}"
        for frame, content in zip(frames, contents, strict=True)
    ]
    os.sync()
    edges = ours.edges()
    forget_peaks(edges)
    before = peak_memory(edges)
    measured = run.load.run(
        ours.edge_port,
        requests,
        connections=len(requests),
        responses=len(requests),
        headers=[MULTIPART],
    )
    return frames, measured, peak_memory(edges) - before


def _body(frame: Frame, content: Path) -> tuple[Path, Path, Path]:
    before = content.with_name(f"{frame.upload_id}.before")
    after = content.with_name("after")
    before.write_bytes(frame.before)
    after.write_bytes(frame.after)
    return before, content, after


def _put(run: Run, peer: Nginx, contents: Sequence[Path], *, digested: bool) -> float:
    """Seconds until the peer has the contents, and their MD5 if asked for."""
    requests = [f"PUT /upload/{number} {path}" for number, path in enumerate(contents)]
    os.sync()
    measured = run.load.run(peer.port, requests, connections=len(requests), responses=len(requests))
    written = [path for path in peer.uploads.rglob("*") if path.is_file()]
    seconds = measured.seconds + (_digest(written) if digested else 0)
    for path in written:
        path.unlink()
    return seconds


def _digest(paths: Sequence[Path]) -> float:
    """Seconds that the MD5 of all files takes on all cores."""
    began = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(_md5, paths))
    return time.perf_counter() - began


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
