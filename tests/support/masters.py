"""Masters for tests."""

import asyncio
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from msgspec import structs

from countermark.autograph.code import Code
from countermark.autograph.derivation import UNITS
from countermark.autograph.index import SpliceIndex, decode
from countermark.catalog.database import Database
from countermark.catalog.readers import autograph
from countermark.catalog.records import NewFile
from countermark.catalog.tables import pipelines
from countermark.catalog.writers import files
from countermark.ids import new_id
from countermark.media.encoding_settings import VideoSettings
from countermark.media.probe import describe
from countermark.storage.layout import file_key
from countermark.storage.local import LocalStore
from countermark.work.described import columns
from countermark.work.master_request import Master, MasterOptions, MasterRequest
from countermark.work.mastering import make_master
from countermark.work.masters import keep_master
from countermark.work.parts import now_ms
from countermark.work.tracing import TracedMaster
from support.service import Service

MASTER = "65f0c0ffee0123456789abcd"


KEY = b"k" * 32


def asked_master(folder: Path, source: Path, **options: Any) -> MasterRequest:
    """Ask for a master; the key is `KEY` with the id 1, the file's id `MASTER`."""
    video = VideoSettings(speed="fast")
    return MasterRequest(
        source=str(source),
        folder=str(folder),
        master=MASTER,
        key_id=1,
        key=KEY,
        options=MasterOptions(**{"video": video, **options}),
    )


def made_master(folder: Path, source: Path, **options: Any) -> Master:
    """Make a real master of a film, in this process."""
    return make_master(asked_master(folder, source, **options), lambda _: None)


def traced_master(master: Master) -> TracedMaster:
    """A master of `made_master`, as tracing asks for it."""
    return TracedMaster(
        decode(Path(master.index).read_bytes()),
        KEY,
        lambda: Path(master.fingerprint).read_bytes(),
        lambda: Path(master.blob),
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


def publish_master(service: Service, film: Path, folder: Path, **options: Any) -> tuple[int, str]:
    """Make a master of a film and put it into a running service; its copies' size, and its id."""
    database = Database(f"sqlite:///{service.data_dir / 'catalog.sqlite'}")
    store = LocalStore(service.data_dir / "blobs")
    file_id = new_id()
    with database.read() as conn:
        key = autograph.keys(conn)[-1]
        pipeline = conn.execute(pipelines.select().filter_by(id=service.pipeline_id)).one()
    asked = structs.replace(
        asked_master(folder / "made", film, **options),
        master=file_id,
        key_id=key.id,
        key=key.secret,
    )
    made = make_master(asked, lambda _: None)
    described = describe(Path(made.blob), "film.mp4")
    sidecars = asyncio.run(keep_master(store, file_id, made, described))
    with database.write() as conn:
        new = NewFile(
            id=file_id,
            user_id=pipeline.user_id,
            application_id=pipeline.application_id,
            pipeline_id=pipeline.id,
            object_key=f"masters/{file_id}.mp4",
            blob_key=file_key(file_id),
            size=made.size,
            size_on_disk=Path(made.blob).stat().st_size,
            etag=file_id,
            autograph=True,
            sidecars=sidecars,
            **columns(described),
        )
        files.register(conn, new, now_ms())
    database.close()
    return made.size, file_id
