"""What `countermark.media.thumbnails` is asked for and answers: types only, without FFmpeg."""

from msgspec import Struct

from countermark.media.encoding_settings import Milliseconds, ThumbnailSettings

MAKE_THUMBNAILS = "countermark.media.thumbnails:make_thumbnails"


class ThumbnailsRequest(Struct, frozen=True):
    """Pictures from one input.

    Attributes:
        input: Path of a file.
        folder: Path of an empty folder to write them to.
        settings: Which, and how large.
        start_time: Where in the input they begin, milliseconds.
        duration: How much of the input they are taken from; None for all the rest.
    """

    input: str
    folder: str
    settings: ThumbnailSettings
    start_time: Milliseconds = 0
    duration: Milliseconds | None = None

    def reads(self) -> list[str]:
        """The file that is read."""
        return [self.input]

    def writes(self) -> list[str]:
        """The folder that is written in."""
        return [self.folder]


class MadeThumbnails(Struct, frozen=True):
    """What was made; all names are of files in the folder.

    Attributes:
        images: One picture each, in the order of time.
        times: What each of them shows, milliseconds from the start.
        sprites: The sheets, in the order of time.
        sprite_map: The WebVTT file that tells their parts.
        poster: The large picture.
    """

    images: tuple[str, ...] = ()
    times: tuple[Milliseconds, ...] = ()
    sprites: tuple[str, ...] = ()
    sprite_map: str | None = None
    poster: str | None = None
