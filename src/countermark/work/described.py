"""What a probe tells of a file, in the forms that the store and the catalog take."""

from pathlib import Path
from typing import Any

import msgspec

from countermark.catalog.records import Thumbnail
from countermark.media.description import Description, TextTrack
from countermark.media.sandbox import Outcome, Sandbox


def describe(sandbox: Sandbox, path: Path, name: str) -> tuple[Outcome, tuple[TextTrack, ...]]:
    """What a file is, and its own text subtitles if it is a film."""
    outcome = sandbox.describe(path, name)
    description = outcome.description
    has_text = description.subtype == "video" and description.subtitle_tracks
    return outcome, sandbox.subtitles(path) if has_text else ()


def columns(description: Description) -> dict[str, Any]:
    """The fields of a `NewFile` that a probe fills."""
    picture = description.thumbnail
    return {
        "subtype": description.subtype,
        "container": description.container,
        "mime_type": description.mime_type,
        "duration": description.duration,
        "video_tracks": _rows(description.video_tracks),
        "audio_tracks": _rows(description.audio_tracks),
        "subtitle_tracks": _rows(description.subtitle_tracks),
        "thumbnail": Thumbnail(picture.mime_type, picture.data) if picture else None,
    }


def _rows(tracks: tuple[msgspec.Struct, ...] | None) -> list[dict[str, object]] | None:
    return msgspec.to_builtins(tracks) if tracks else None
