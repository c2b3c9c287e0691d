"""The checksums that the hub knows of every file, taken while its bytes pass by."""

import hashlib
import zlib

from countermark.storage.layout import HEADER_BYTES


class Digest:
    """MD5 of everything, and CRC-32 of the first 65,536 bytes, of bytes that come in pieces."""

    def __init__(self) -> None:
        # For clients to compare with, not for security.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc = 0
        self.size = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes. Lets other threads run meanwhile if they are many."""
        if self.size < HEADER_BYTES:
            self._crc = zlib.crc32(data[: HEADER_BYTES - self.size], self._crc)
        self._md5.update(data)
        self.size += len(data)

    @property
    def md5(self) -> str:
        """32 lower-case hex digits."""
        return self._md5.hexdigest()

    @property
    def header_crc(self) -> str:
        """8 lower-case hex digits."""
        return f"{self._crc:08x}"
