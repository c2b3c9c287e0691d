"""What `countermark.media.transcode` is asked for and answers: types only, without FFmpeg."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from countermark.media.encoding_settings import EncodingSettings, Logo, Milliseconds

TRANSCODE = "countermark.media.transcode:transcode"
_MOST_LOGOS = 16


class LogoFile(Struct, frozen=True):
    """A logo, and the path of its picture."""

    logo: Logo
    path: str


class TranscodeRequest(Struct, frozen=True):
    """One output of one input.

    Attributes:
        input: Path of a file.
        output: Path of the file to make; its folder exists. Files beside it that begin with its
            name are the work's own, and gone at its end unless it is killed.
        settings: What it is to be.
        start_time: Where in the input the output begins, milliseconds.
        duration: How much of the input it shows, milliseconds; None for all the rest.
        logos: What is laid over its pictures.
    """

    input: str
    output: str
    settings: EncodingSettings
    start_time: Milliseconds = 0
    duration: Milliseconds | None = None
    logos: Annotated[tuple[LogoFile, ...], Meta(max_length=_MOST_LOGOS)] = ()

    def reads(self) -> list[str]:
        """The files that are read."""
        return [self.input, *(logo.path for logo in self.logos)]

    def writes(self) -> list[str]:
        """The folder that is written in."""
        return [str(Path(self.output).parent)]


class Transcoded(Struct, frozen=True):
    """What was made.

    Attributes:
        size: Bytes.
        seconds: How long it is.
        warnings: Sentences for the job's owner on what is not as it should be.
    """

    size: int
    seconds: float
    warnings: tuple[str, ...] = ()
