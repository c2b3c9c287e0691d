"""Plain downloads of one file by one and by many clients, beside nginx's sendfile."""

from collections.abc import Iterator

from bench.peers import nginx
from bench.results import Row, alternate, faster
from bench.run import Run, temporary_folder, write_content
from bench.service import countermark
from bench.uploads import put_file

_SIZE = 256 << 20
_STREAMS = (1, 32)
_REACH = 0.95


def rows(run: Run) -> Iterator[Row]:
    """Megabytes per second over kept connections, the file in the page cache on both sides."""
    with temporary_folder() as folder:
        content = folder / "content.bin"
        write_content(content, _SIZE // run.scale)
        with nginx(folder / "nginx", folder) as peer, countermark(folder / "ours") as ours:
            target = ours.link(put_file(run, ours, content))
            for streams in _STREAMS:
                sides = (ours.edge_port, target), (peer.port, f"/{content.name}")
                yield _row(run, streams, *sides)


def _row(run: Run, streams: int, ours: tuple[int, str], peer: tuple[int, str]) -> Row:
    def rate(side: tuple[int, str]) -> float:
        port, target = side
        measured = run.load.run(port, [f"GET {target}"], connections=streams, seconds=run.seconds)
        return measured.megabytes_per_second

    pair = alternate(lambda: rate(ours), lambda: rate(peer), run.rounds)
    what = f"plain download, {streams} stream{'s' if streams > 1 else ''}"
    return faster(what, pair, "MB/s", _REACH)
