"""Values that are read anew beside the event loop."""

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

REFRESH_SECONDS = 2.0


def refreshed(name: str, read: Callable[[], T]) -> Callable[[], T]:
    """A provider of what `read` gives, read anew every two seconds beside the event loop.

    The first read is done here, so that its failure is the caller's. A later failure is logged,
    and what was read before stays.
    """
    value = read()

    def refresh() -> None:
        nonlocal value
        while True:
            pause.wait(REFRESH_SECONDS)
            try:
                value = read()
            except Exception:
                log.warning("could not be refreshed", what=name, exc_info=True)

    pause = threading.Event()
    threading.Thread(target=refresh, name=name, daemon=True).start()
    return lambda: value
