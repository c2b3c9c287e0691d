"""Recognizing zip archives by their bytes (PKWARE APPNOTE 6.3, sections 4.3.12 to 4.3.16)."""

import os
import struct
from io import FileIO

_LOCAL_HEADER = b"PK\x03\x04"
_DIRECTORY_HEADER = b"PK\x01\x02"
_END = b"PK\x05\x06"
_END64_LOCATOR = b"PK\x06\x07"
_END64 = b"PK\x06\x06"

_END_SIZE = 22
_LOCATOR_SIZE = 20
_END64_SIZE = 56
_LARGEST_COMMENT = 2**16 - 1


def is_zip(file: FileIO) -> bool:
    """Tell whether a file is a zip archive with a central directory where its end says.

    Only the first bytes, the last 64 kB and the directory's first bytes are read: the
    directory of a large archive may itself be huge.
    """
    file.seek(0)
    head = file.read(4)
    if head not in (_LOCAL_HEADER, _END):
        return False
    size = file.seek(0, os.SEEK_END)
    tail_start = max(0, size - _END_SIZE - _LARGEST_COMMENT - _LOCATOR_SIZE)
    file.seek(tail_start)
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_SIZE:
        return False
    entries, length, offset = struct.unpack_from("<10xH2I", tail, end)
    if offset == 2**32 - 1 or entries == 2**16 - 1:
        entries, length, offset = _zip64(file, tail, end) or (entries, length, offset)
    return _directory_is_there(file, entries, offset, limit=size - length)


def _zip64(file: FileIO, tail: bytes, end: int) -> tuple[int, int, int] | None:
    locator = end - _LOCATOR_SIZE
    if locator < 0 or not tail.startswith(_END64_LOCATOR, locator):
        return None
    (at,) = struct.unpack_from("<8xQ", tail, locator)
    if at >= 2**63:
        return None
    file.seek(at)
    record = file.read(_END64_SIZE)
    if len(record) < _END64_SIZE or not record.startswith(_END64):
        return None
    entries, length, offset = struct.unpack_from("<32x3Q", record)
    return entries, length, offset


def _directory_is_there(file: FileIO, entries: int, offset: int, limit: int) -> bool:
    if entries == 0:
        return True
    if not 0 <= offset <= limit:
        return False
    file.seek(offset)
    return file.read(4) == _DIRECTORY_HEADER
