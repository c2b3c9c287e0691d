"""Masters for tests."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np

from countermark.autograph.code import Code
from countermark.autograph.derivation import UNITS
from countermark.autograph.index import SpliceIndex
from countermark.work.master_request import Master, MasterOptions, MasterRequest
from countermark.work.mastering import make_master

MASTER = "65f0c0ffee0123456789abcd"


KEY = b"k" * 32


def made_master(folder: Path, source: Path, **options: object) -> Master:
    """Make a real master of a film; the key is `KEY` with the id 1, the file's id `MASTER`."""
    asked = MasterOptions(**{"preset": "veryfast", **options})
    return make_master(
        MasterRequest(source=source, folder=folder, master=MASTER, key_id=1, key=KEY, options=asked)
    )


def random_index(
    seed: int, *, variants: int = 2, segments: int = 5, header: int = 40, longest: int = 60
) -> SpliceIndex:
    """An index of a master that is nowhere; its segments have 1 to `longest` bytes."""
    random = Random(seed)  # noqa: S311 - a test repeats
    starts = [header]
    for _ in range(segments):
        starts.append(starts[-1] + random.randint(1, longest))
    biases = b"".join(_row(random, variants) for _ in range(segments))
    return SpliceIndex(
        master=MASTER,
        key_id=1,
        variants=variants,
        size=starts.pop(),
        strength="light",
        starts=starts,
        biases=biases,
        first_frames=[18 * number for number in range(segments + 1)],
        time_base=Fraction(1, 24).as_integer_ratio(),
        times=[18 * number for number in range(segments + 1)],
        carries=bytes(random.choices(range(256), k=segments)),
    )


def coded_index(key: bytes, variants: int, segments: int, *, longest: int = 60) -> SpliceIndex:
    """The same with the biases that the key gives it."""
    index = random_index(0, variants=variants, segments=segments, longest=longest)
    biases = Code(key, index.master, variants).biases(np.arange(segments))
    return replace(index, biases=biases.tobytes())


def master_blob(index: SpliceIndex, seed: int = 0) -> bytes:
    """Bytes of such a master: alike up to the first segment, then each variant's own."""
    random = Random(seed)  # noqa: S311 - a test repeats
    shared = random.randbytes(index.starts[0])
    rest = index.size - len(shared)
    return b"".join(shared + random.randbytes(rest) for _ in range(index.variants))


def _row(random: Random, variants: int) -> bytes:
    row = [1] * variants
    for _ in range(UNITS - variants):
        row[random.randrange(variants)] += 1
    return bytes(row)
