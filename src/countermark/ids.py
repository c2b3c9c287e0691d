"""Identifiers: 12 bytes as 24 lower-case hex digits, ordered by the time of their making.

The layout is that of a MongoDB ObjectId in spirit (time first), with milliseconds in place of
seconds: 6 bytes of Unix time in milliseconds, 6 bytes of randomness. Ids made in one process in
the same millisecond stay in order, because the random part counts up from its first value.
"""

import re
import secrets
import threading
import time

ID_PATTERN = "^[0-9a-f]{24}$"
_ID = re.compile(ID_PATTERN[:-1] + r"\Z")
_RANDOM_BITS = 48

_lock = threading.Lock()
_last_ms = 0
_last_random = 0


def new_id() -> str:
    """Make an id that sorts after every earlier one of this process."""
    global _last_ms, _last_random  # noqa: PLW0603 - the order within a millisecond needs memory
    with _lock:
        now = time.time_ns() // 1_000_000
        if now > _last_ms:
            _last_ms = now
            # The top bit stays free so that counting up cannot overflow within a millisecond.
            _last_random = secrets.randbits(_RANDOM_BITS - 1)
        else:
            _last_random += 1
        return f"{_last_ms:012x}{_last_random:012x}"


def is_id(text: str) -> bool:
    """Tell whether the text has the form of an id; says nothing of what it names."""
    return _ID.match(text) is not None
