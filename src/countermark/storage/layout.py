"""Where each thing lives in the store: the only place that makes keys.

```
incoming/<upload id>/<chunk, 6 digits>.<nonce>   the bytes of one post, maybe a loser's
incoming/<upload id>/<chunk, 6 digits>.json      the note that makes those bytes count
files/<first 2 of the random part>/<file id>     the bytes of a file of the catalog
files/<first 2 of the random part>/<file id>.<name>   its poster, its subtitles as WebVTT
lists/<name>/<nonce>                             a compiled address list
reports/<backtrace id>/report.<json or html>     what a trace found
```

A chunk of an upload counts only once its note is there, and a repeated chunk replaces the note,
so that two posts of one chunk can never mix. The loser's bytes go with the whole upload.
"""

import re
import secrets

import msgspec

MAX_CHUNK = 999_999
INCOMING_PREFIX = "incoming/"
POSTER_NAME = "poster"
FILES_PREFIX = "files/"
LISTS_PREFIX = "lists/"
REPORTS_PREFIX = "reports/"
HEADER_BYTES = 65_536  # what a header CRC covers

_SUBTITLES = "subtitles-"
_KEY = re.compile(r"(?!\.)[A-Za-z0-9._-]+(?:/(?!\.)[A-Za-z0-9._-]+)*\Z")
_MAX_KEY_BYTES = 200


class PartNote(msgspec.Struct, frozen=True):
    """What the edge learned of one received chunk; stored as JSON beside its bytes.

    Attributes:
        blob_key: where the bytes are.
        chunk: position of the chunk in the file, from 0.
        chunks: how many chunks the client announced, or None if it did not say.
        size: bytes.
        md5: of the chunk, 32 lower-case hex digits.
        header_crc: CRC-32 of the chunk's first 65,536 bytes, 8 lower-case hex digits.
    """

    blob_key: str
    chunk: int
    chunks: int | None
    size: int
    md5: str
    header_crc: str


def check_key(key: str) -> str:
    """Give back a key that keeps to the port's grammar.

    Raises:
        ValueError: it does not.
    """
    if len(key) > _MAX_KEY_BYTES or _KEY.match(key) is None:
        raise ValueError("not a blob key")
    return key


def new_nonce() -> str:
    """Make the part of a key that tells two posts of the same chunk apart."""
    return secrets.token_hex(8)


def upload_prefix(upload_id: str) -> str:
    """Everything that was received for an upload."""
    return f"{INCOMING_PREFIX}{upload_id}/"


def upload_id_of(key: str) -> str:
    """The upload that a key under `INCOMING_PREFIX` belongs to."""
    return key.removeprefix(INCOMING_PREFIX).partition("/")[0]


def part_key(upload_id: str, chunk: int, nonce: str) -> str:
    """Where the bytes of one post go."""
    return f"{upload_prefix(upload_id)}{chunk:06d}.{nonce}"


def part_note_key(upload_id: str, chunk: int) -> str:
    """Where the note of a chunk goes."""
    return f"{upload_prefix(upload_id)}{chunk:06d}.json"


def file_key(file_id: str) -> str:
    """Where the bytes of a file go.

    The folder comes from the id's end, which is random: its beginning is time, and would put all
    files of one day into the same folder.
    """
    return f"{FILES_PREFIX}{file_id[-2:]}/{file_id}"


def sidecar_key(blob_key: str, name: str) -> str:
    """Where a small blob that belongs to a file goes, beside the file's own."""
    return f"{blob_key}.{name}"


def subtitles_name(number: int) -> str:
    """The sidecar with a file's subtitles of this number, from 0."""
    return f"{_SUBTITLES}{number:02}"


def is_subtitles(name: str) -> bool:
    """Tell whether a sidecar of this name holds subtitles."""
    return name.startswith(_SUBTITLES)


def file_id_of(key: str) -> str:
    """The file that a key under `FILES_PREFIX` belongs to."""
    return key.rpartition("/")[2].partition(".")[0]


def list_key(name: str) -> str:
    """Where an address list's next compiled form goes."""
    return f"{LISTS_PREFIX}{name}/{new_nonce()}"


def report_key(backtrace_id: str, form: str) -> str:
    """Where a trace's report goes, in the form json or html."""
    return f"{REPORTS_PREFIX}{backtrace_id}/report.{form}"


def backtrace_id_of(key: str) -> str:
    """The backtrace that a key under `REPORTS_PREFIX` belongs to."""
    return key.removeprefix(REPORTS_PREFIX).partition("/")[0]
