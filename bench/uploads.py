"""Uploads from the first byte to the answer, beside nginx writing the same bytes to disk."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.load import Measured
from bench.peers import Nginx, nginx
from bench.processes import forget_peaks, peak_memory
from bench.results import Row, alternate, faster
from bench.run import Run, temporary_folder, write_content
from bench.service import MULTIPART, Countermark, Frame, countermark

_SHAPES = ((1, 512 << 20), (8, 64 << 20))  # parallel posts, bytes of each
_REACH = 0.8
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
            yield _rate_row(run, ours, peer, content, count, peaks)
        yield _memory_row(max(peaks))


def _rate_row(
    run: Run, ours: Countermark, peer: Nginx, content: Path, count: int, peaks: list[int]
) -> Row:
    size = content.stat().st_size
    contents = [content] * count

    def megabytes_per_second(measured: Measured) -> float:
        return size * count / measured.seconds / 1e6

    def to_ours() -> float:
        frames, measured, growth = _post(run, ours, contents)
        peaks.append(growth)
        for frame in frames:
            ours.finish_upload(frame)
            ours.delete(frame.file_id)
        return megabytes_per_second(measured)

    pair = alternate(to_ours, lambda: megabytes_per_second(_put(run, peer, contents)), run.rounds)
    what = f"upload, {count} x {size >> 20} MiB"
    return faster(what, pair, "MB/s", _REACH, "The peer keeps no checksum and names no file.")


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


def _put(run: Run, peer: Nginx, contents: Sequence[Path]) -> Measured:
    requests = [f"PUT /upload/{number} {path}" for number, path in enumerate(contents)]
    os.sync()
    measured = run.load.run(peer.port, requests, connections=len(requests), responses=len(requests))
    for written in peer.uploads.rglob("*"):
        if written.is_file():
            written.unlink()
    return measured
