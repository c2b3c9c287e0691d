"""Memory for pictures, which come and go by the megabyte."""

import ctypes

# Of mallopt(3): how much freed memory is kept, and from what size on a block is mapped by itself.
_M_TRIM_THRESHOLD, _KEPT = -1, 1 << 30
_M_MMAP_THRESHOLD, _LARGEST = -3, 32 << 20


def keep_freed_memory() -> None:
    """Let the C library keep what is freed for what is allocated next, from now on.

    Else it goes back to the system, and each page of the next picture is a page fault: 2 % of a
    master's processor time. For processes that end with their work; nothing changes where the
    library isn't glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_MMAP_THRESHOLD, _LARGEST)
