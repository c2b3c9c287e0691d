"""Score every issued tag, in blocks: memory stays constant and most time goes into the code's PRF.

One byte of a tag's stream holds its draws for two neighbouring segments, so one look-up in a
table of 256 rows adds both segments' gains for all models at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.code import Code, Segments, symbols_of_draws
from countermark.autograph.derivation import CHUNK_SEGMENTS, UNITS
from countermark.autograph.score import Bets, mixed

Gains = NDArray[np.float32]

_BLOCK = 4096
_DRAWS = 256
# Rows of eight floats fill half a cache line, and are gathered fastest.
_LANES = 8


@dataclass(frozen=True)
class Stretch:
    """The observed part of one chunk of the stream.

    Attributes:
        chunk: its number.
        columns: which bytes of the chunk are needed, ascending, shape (g,).
        gains: what each value of each of them adds, nats, shape (g, 256, lanes).
    """

    chunk: int
    columns: NDArray[np.int64]
    gains: Gains


def stretches(code: Code, segments: Segments, bets: Bets) -> list[Stretch]:
    """Tables to score codewords straight from the stream.

    Args:
        code: the master's code.
        segments: observed segments, shape (n,).
        bets: priced for those segments.
    """
    gains = _gains_of_draws(code, segments, bets)
    found = []
    for chunk in np.unique(segments // CHUNK_SEGMENTS).tolist():
        rows = np.flatnonzero(segments // CHUNK_SEGMENTS == chunk)
        places = segments[rows] % CHUNK_SEGMENTS
        columns, which = np.unique(places // 2, return_inverse=True)
        halves = np.zeros((2, len(columns), UNITS, gains.shape[2]), np.float32)
        halves[places % 2, which] = gains[rows]
        table = halves[0][:, :, None] + halves[1][:, None]
        found.append(Stretch(chunk, columns, table.reshape(len(columns), _DRAWS, -1)))
    return found


def _gains_of_draws(code: Code, segments: Segments, bets: Bets) -> Gains:
    """Gains by draw instead of by symbol, shape (n, 16, lanes); lanes without a model are 0."""
    draws = np.tile(np.arange(UNITS, dtype=np.uint8), (len(segments), 1))
    symbols = symbols_of_draws(code.biases(segments), draws)
    models = len(bets.weights)
    gains = np.zeros((len(segments), UNITS, -(-models // _LANES) * _LANES), np.float32)
    gains[:, :, :models] = bets.gains[np.arange(len(segments))[:, None], symbols]
    return gains


def scan(
    code: Code, segments: Segments, bets: Bets, tags: Iterable[bytes]
) -> Iterator[tuple[Sequence[bytes], NDArray[np.float64]]]:
    """Score tags.

    Args:
        code: the master's code.
        segments: observed segments, shape (n,).
        bets: priced for those segments.
        tags: the tags' bytes, any number.

    Yields:
        Some of the tags, and their scores in nats: `Bets.score` but for single precision.
    """
    tables = stretches(code, segments, bets)
    models = len(bets.weights)
    remaining = iter(tags)
    while block := list(islice(remaining, _BLOCK)):
        lanes = -(-models // _LANES) * _LANES
        sums = np.zeros((len(block), lanes), np.float32)
        for stretch in tables:
            _add(sums, stretch, code.stream(block, stretch.chunk, int(stretch.columns[-1]) + 1))
        yield block, mixed(sums[:, :models].astype(np.float64), bets.weights)


def _add(sums: Gains, stretch: Stretch, stream: NDArray[np.uint8]) -> None:
    draws = np.ascontiguousarray(stream.T)
    gained = np.empty_like(sums)
    for column, gains in zip(stretch.columns, stretch.gains, strict=True):
        # Draws are under 256 by their type; "clip" only spares NumPy its own check of that.
        np.take(gains, draws[column], axis=0, out=gained, mode="clip")
        sums += gained
