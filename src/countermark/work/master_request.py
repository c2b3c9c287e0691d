"""What is asked of the maker of a master, and what it gives back."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

Strength = Literal["light", "normal", "strong"]


class MasterOptions(Struct, frozen=True, kw_only=True):
    """How a master is made.

    Attributes:
        variants: K: how many variants it has.
        strength: of the mark.
        segment_seconds: about how long a segment is; each carries one symbol.
        crf: x264's constant rate factor.
        preset: x264's preset.
    """

    variants: Literal[2, 4, 8] = 2
    strength: Strength = "light"
    segment_seconds: Annotated[float, Meta(ge=0.25, le=10)] = 0.75
    crf: Annotated[float, Meta(ge=10, le=35)] = 22.0
    preset: Literal["veryfast", "faster", "fast", "medium", "slow"] = "medium"


class MasterRequest(Struct, frozen=True, kw_only=True):
    """A master to be made.

    Attributes:
        source: the film.
        folder: where to work; what a killed maker had finished is found there.
        master: id of the file that the master becomes.
        key_id: which autograph key.
        key: its secret, 32 bytes.
        options: how.
    """

    source: Path
    folder: Path
    master: str
    key_id: int
    key: bytes
    options: MasterOptions = MasterOptions()


class Master(Struct, frozen=True, kw_only=True):
    """A master that has passed its check.

    Attributes:
        blob: the K variants one after another.
        size: of one variant, bytes.
        index: the splice index, encoded.
        fingerprint: by which tracing finds it, packed.
        segments: how many.
        carrying: how many of them carry a mark.
        padding: bytes of filler in one variant, in the mean over the variants.
    """

    blob: Path
    size: int
    index: bytes
    fingerprint: bytes
    segments: int
    carrying: int
    padding: int
