"""An output that is a master: marked in every variant, spliced for each recipient.

A master is made of the input itself where nothing has to be changed but its size; its sound is
then the input's. Else an intermediate of high quality is made first, cut, with its logos and its
sound as they are to be.
"""

import asyncio
import secrets
import shutil
from pathlib import Path

import msgspec
from msgspec.structs import replace

from countermark.autograph.index import FRAMES_SIDECAR, SIDECAR
from countermark.catalog.readers import autograph as read_autograph
from countermark.errors import MediaSettingsError
from countermark.ids import new_id
from countermark.media.child_process import run_in_child
from countermark.media.encoding_settings import VideoSettings
from countermark.media.transcoding import TRANSCODE, Transcoded, TranscodeRequest
from countermark.storage.layout import POSTER_NAME, file_key, sidecar_key
from countermark.work.described import describe
from countermark.work.job_execution import Execution
from countermark.work.job_files import MadeFile, intend
from countermark.work.master_request import Master, MasterOptions, MasterRequest, Strength
from countermark.work.masters import keep_master, mastered

_ETAG_BYTES = 16
_INTERMEDIATE = 12  # CRF: next to nothing is lost to what is encoded after it
_INTERMEDIATE_SHARE = 0.25


class _Name(msgspec.Struct, frozen=True):
    """What a master is made under; the same after a death, so that its making can go on."""

    file_id: str
    key_id: int


def encode_master(
    execution: Execution, number: int, folder: Path, request: TranscodeRequest, object_key: str
) -> tuple[MadeFile, tuple[str, ...]]:
    """Make a master and store it.

    Args:
        execution: Of the job.
        number: The output's.
        folder: The job's folder.
        request: How a plain output would be made.
        object_key: Where the master will lie.

    Returns:
        What was stored, and warnings.
    """
    work = folder / f"master-{number}"
    name = _named(execution, folder / f"master-{number}.json")
    source, warnings = _source(execution, number, folder, request)
    video = request.settings.video or VideoSettings()
    with execution.parts.database.read() as connection:
        key = next(key for key in read_autograph.keys(connection) if key.id == name.key_id)
    asked = MasterRequest(
        source=source,
        folder=str(work),
        master=name.file_id,
        key_id=key.id,
        key=key.secret,
        options=MasterOptions(strength=_strength(execution), video=_spliceable(video)),
    )
    first = _INTERMEDIATE_SHARE if source != request.input else 0.0
    master = mastered(
        asked,
        execution.parts.limits,
        lambda part: execution.report(number, first + (1 - first) * part),
    )
    made = _kept(execution, name, master, object_key)
    shutil.rmtree(work)
    return made, (*warnings, *master.warnings)


def _kept(execution: Execution, name: _Name, master: Master, object_key: str) -> MadeFile:
    path = Path(master.blob)
    outcome, _ = describe(execution.parts.sandbox, path, object_key.rpartition("/")[2])
    blob_key = file_key(name.file_id)
    beside = (POSTER_NAME, SIDECAR, FRAMES_SIDECAR)
    intend(execution, [blob_key, *(sidecar_key(blob_key, one) for one in beside)])
    kept = keep_master(execution.parts.store, name.file_id, master, outcome.description)
    return MadeFile(
        file_id=name.file_id,
        object_key=object_key,
        blob_key=blob_key,
        size=master.size,
        size_on_disk=path.stat().st_size,
        md5=None,
        header_crc=None,
        # Every recipient's copy has a sum of its own; this tells one master from another.
        etag=secrets.token_hex(_ETAG_BYTES),
        description=outcome.description,
        sidecars=asyncio.run(kept),
        autograph=True,
    )


def _named(execution: Execution, note: Path) -> _Name:
    if note.exists():
        return msgspec.json.decode(note.read_bytes(), type=_Name)
    with execution.parts.database.read() as connection:
        keys = read_autograph.keys(connection)
    name = _Name(new_id(), keys[-1].id)
    part = note.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(name))
    part.rename(note)
    return name


def _strength(execution: Execution) -> Strength:
    asked = execution.job.autograph or {}
    strength: Strength = msgspec.convert(asked.get("watermark_strength", "light"), Strength)
    return strength


def _source(
    execution: Execution, number: int, folder: Path, request: TranscodeRequest
) -> tuple[str, tuple[str, ...]]:
    """What the master is made of: the input, or an intermediate."""
    settings = request.settings
    if settings.video is None:
        raise MediaSettingsError("An AutoGraph master needs pictures. Use a preset with video.")
    is_plain = not (request.start_time or request.duration or request.logos)
    levels = settings.audio is not None and settings.audio.loudness is not None
    if is_plain and not levels:
        return request.input, ()
    path = folder / f"intermediate-{number}.mkv"
    video = replace(_spliceable(settings.video), codec="h264", quality=_INTERMEDIATE, speed="fast")
    made = replace(
        request,
        output=str(path),
        settings=replace(settings, container="mkv", video=video),
    )
    done = run_in_child(
        TRANSCODE,
        made,
        Transcoded,
        execution.parts.limits,
        lambda part: execution.report(number, _INTERMEDIATE_SHARE * part),
    )
    return str(path), done.warnings


def _spliceable(video: VideoSettings) -> VideoSettings:
    """The settings as far as all variants of a master can keep them: constant quality, 8 bits."""
    return replace(video, profile=None, bitrate=None, passes=None, bit_depth=None, hdr=None)
