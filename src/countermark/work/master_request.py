"""What is asked of the maker of a master, and what it gives back."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from countermark.media.encoding_settings import VideoSettings

Strength = Literal["light", "normal", "strong"]


class MasterOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a master is made.

    Attributes:
        variants: K: how many variants it has.
        strength: of the mark.
        segment_seconds: about how long a segment is; each carries one symbol.
        video: what the pictures shall be. Only H.264 of constant quality and 8 bits can be spliced.
    """

    variants: Literal[2, 4, 8] = 2
    strength: Strength = "light"
    segment_seconds: Annotated[float, Meta(ge=0.25, le=10)] = 0.75
    video: VideoSettings = VideoSettings()


class MasterRequest(Struct, frozen=True, kw_only=True):
    """A master to be made.

    Attributes:
        source: path of the film.
        folder: path of a folder to work in; what a killed maker had finished is found there.
        master: id of the file that the master becomes.
        key_id: which autograph key.
        key: its secret, 32 bytes.
        options: how.
    """

    source: str
    folder: str
    master: str
    key_id: int
    key: bytes
    options: MasterOptions = MasterOptions()

    def reads(self) -> list[str]:
        """The file that is read."""
        return [self.source]

    def writes(self) -> list[str]:
        """The folder that is written in."""
        return [self.folder]


class Master(Struct, frozen=True, kw_only=True):
    """A master that has passed its check.

    Attributes:
        blob: path of the K variants, one after another.
        size: of one variant, bytes.
        index: path of the splice index.
        fingerprint: path of what tracing finds it by.
        segments: how many.
        carrying: how many of them carry a mark.
        padding: bytes of filler in one variant, in the mean over the variants.
        warnings: sentences on what was not as it should be.
    """

    blob: str
    size: int
    index: str
    fingerprint: str
    segments: int
    carrying: int
    padding: int
    warnings: tuple[str, ...] = ()
