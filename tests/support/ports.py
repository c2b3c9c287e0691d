"""TCP ports for servers of tests.

They are drawn from below those that the kernel gives to outgoing connections, so that nobody's
client takes a port between its drawing and the start of its server; and at random, so that test
processes side by side rarely draw the same.
"""

import random
import socket

_FIRST, _LAST = 10_000, 32_000

_dice = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port of the loopback that nobody listens on now, and that this process never gave before.

    Raises:
        OSError: there is none left.
    """
    for _ in range(_LAST - _FIRST):
        port = _dice.randrange(_FIRST, _LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise OSError("no free port")


def free_ports(count: int) -> list[int]:
    """Several of them."""
    return [free_port() for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
