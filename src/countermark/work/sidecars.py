"""The small blobs that go with a file: what a player page shows beside the picture."""

from collections.abc import AsyncIterator, Sequence

from countermark.catalog.records import Sidecar
from countermark.media.description import Description, TextTrack
from countermark.media.sandbox import Outcome
from countermark.storage.layout import POSTER_NAME, file_key, sidecar_key, subtitles_name
from countermark.storage.port import BlobStore

_PLAYABLE = frozenset({"audio", "video"})


class Understood(Outcome, frozen=True):
    """What came of a probe, and what was kept of it beside the catalog."""

    sidecars: tuple[Sidecar, ...] = ()


async def keep_sidecars(
    store: BlobStore, file_id: str, description: Description, texts: Sequence[TextTrack]
) -> tuple[Sidecar, ...]:
    """Store a poster and the subtitles; doing it again replaces them by the same."""
    if description.subtype not in _PLAYABLE:
        return ()
    blobs: list[tuple[str, str | None, bytes]] = []
    if description.thumbnail is not None:
        blobs.append((POSTER_NAME, None, description.thumbnail.data))
    for number, text in enumerate(texts):
        blobs.append((subtitles_name(number), text.language, text.webvtt.encode()))
    kept = []
    for name, language, data in blobs:
        key = sidecar_key(file_key(file_id), name)
        await store.put(key, _once(data))
        kept.append(Sidecar(name, language, key))
    return tuple(kept)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
