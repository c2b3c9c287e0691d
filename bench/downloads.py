"""Plain downloads of one file by one and by many clients, beside nginx's sendfile.

Many clients that read share the two cores with the server, and would hide some of its cost; so
the same is measured with clients that let the kernel drop what comes.
"""

from collections.abc import Iterator

from bench.peers import nginx
from bench.results import Row, alternate, faster
from bench.run import Run, temporary_folder, write_content
from bench.service import countermark
from bench.uploads import put_file
from countermark.storage.layout import file_key

_SIZE = 256 << 20
_SHAPES = ((1, False), (32, False), (32, True))  # streams, dropped by the kernel
_REACH = 0.95
_REASON = (
    "Each time a connection has room again, the edge's next sendfile passes through Python's event "
    "loop, nginx's through a few lines of C; the fewer the kernel's own costs, the more it shows."
)


def rows(run: Run) -> Iterator[Row]:
    """Megabytes per second over kept connections, both sides sending the same file, cached."""
    with temporary_folder() as folder:
        content = folder / "content.bin"
        write_content(content, _SIZE // run.scale)
        with nginx(folder / "nginx", folder) as peer, countermark(folder / "ours") as ours:
            file_id = put_file(run, ours, content)
            blob = f"/ours/data/blobs/{file_key(file_id)}"
            sides = (ours.edge_port, ours.link(file_id)), (peer.port, blob)
            for streams, dropped in _SHAPES:
                yield _row(run, streams, *sides, dropped=dropped)


def _row(
    run: Run, streams: int, ours: tuple[int, str], peer: tuple[int, str], *, dropped: bool
) -> Row:
    def rate(side: tuple[int, str]) -> float:
        port, target = side
        measured = run.load.run(
            port,
            [f"GET {target}"],
            connections=streams,
            seconds=run.seconds,
            discard=dropped,
        )
        return measured.megabytes_per_second

    pair = alternate(lambda: rate(ours), lambda: rate(peer), run.turns)
    what = f"plain download, {streams} stream{'s' if streams > 1 else ''}"
    note = _REASON if streams > 1 else ""
    return faster(what + ", dropped unread" * dropped, pair, "MB/s", _REACH, note)
