"""One run of the bench: its scale, its folder, its load generator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.load import Load

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Run:
    """How much to measure; a quick run proves that the bench works, not what it shows."""

    load: Load
    quick: bool = False

    @property
    def rounds(self) -> int:
        """How often each side does a piece of work that takes as long as it takes."""
        return 1 if self.quick else 5

    @property
    def turns(self) -> int:
        """How often a rate is taken of each side: on which cores a connection's two ends come to
        lie is chance, anew each time, and must not decide."""
        return 1 if self.quick else 30

    @property
    def seconds(self) -> float:
        """How long a turn is."""
        return 1 if self.quick else 0.8

    @property
    def scale(self) -> int:
        """What sizes and counts are divided by."""
        return 16 if self.quick else 1


@contextmanager
def temporary_folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="countermark-bench-") as name:
        yield Path(name)


def write_content(path: Path, size: int) -> None:
    """Write `size` bytes that do not compress: one random block over and over.

    Args:
        path: where to.
        size: bytes, a multiple of 1 MiB.
    """
    with Path("/dev/urandom").open("rb") as noise:
        block = noise.read(_BLOCK)
    with path.open("wb") as out:
        for _ in range(size // _BLOCK):
            out.write(block)
