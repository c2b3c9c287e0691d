"""The file that both catalogs hold a million times, under as many names."""

import sqlite3

CREATED_AT = 1_767_225_600_000  # milliseconds since the epoch: 2026-01-01
REFERENCE = "552b874d14eab3a29d1b3d8d"  # stands for any other resource's id
CONTAINER = "ISO MP4/M4A"
MIME_TYPE = "video/mp4"
VIDEO_TRACKS = [
    {
        "video_codec": "H.264 / AVC",
        "video_bitrate": 2503,
        "width": 1280,
        "height": 720,
        "framerate": 23.98,
        "aspect_ratio": "1:1",
        "video_duration": 24576,
    }
]
AUDIO_TRACKS = [
    {
        "audio_codec": "MPEG-4 AAC",
        "audio_bitrate": 133,
        "audio_width": 16,
        "samplingrate": 48000,
        "nb_channels": 2,
        "audio_duration": 24576,
    }
]
_SOME = 10_000


def some_ids(database: sqlite3.Connection) -> list[str]:
    """Ids of up to 10,000 files out of all, in random order, so that no cache of rows helps."""
    query = "SELECT id FROM files ORDER BY random() LIMIT ?"
    return [row[0] for row in database.execute(query, (_SOME,))]
