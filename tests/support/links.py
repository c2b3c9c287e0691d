"""Links and keys for tests."""

import msgspec

from countermark.links.keys import KeyRing, LinkKey
from countermark.links.link import Link
from countermark.links.policy import UploadPolicy

OLD_KEY = LinkKey(1, bytes(range(32)))
NEW_KEY = LinkKey(7, bytes(range(32, 64)))
RING = KeyRing([NEW_KEY, OLD_KEY])

FAR_FUTURE = 1 << 33

LINK = Link(
    blob_key="files/aa/0123456789abcdef01234567",
    name="clip.mp4",
    size=1000,
    mime_type="video/mp4",
    etag="d41d8cd98f00b204e9800998ecf8427e",
    modified_at=1_700_000_000_123,
    expires_at=FAR_FUTURE,
    inline=False,
    address=None,
    account="a" * 24,
    application="b" * 24,
    file="c" * 24,
    serial="0123456789abcdef",
)
POLICY = UploadPolicy(
    upload_id="d" * 24,
    object_key="holiday/clip.mp4",
    max_bytes=1 << 30,
    ends_at=FAR_FUTURE,
    address=None,
)


def link(**changes: object) -> Link:
    return msgspec.structs.replace(LINK, **changes)


def policy(**changes: object) -> UploadPolicy:
    return msgspec.structs.replace(POLICY, **changes)
