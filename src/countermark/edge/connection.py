"""What the kernel knows of a connection: whether the other end lives, and what it has got."""

import fcntl
import os
import socket
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# An idle connection is asked for a sign of life this often, in seconds, and given up after that
# many questions.
_PROBE_SECONDS = 4
_PROBES = 3
# Of struct tcp_info in linux/tcp.h.
_LAST_ACK_RECEIVED = struct.Struct("@56xI")


def watch(connection: socket.socket) -> None:
    """Let the kernel ask an idle peer for signs of life; what is not to be had is left out."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _PROBE_SECONDS),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
    ):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def silent_seconds(connection: socket.socket) -> float:
    """How long the peer has acknowledged nothing; 0 where the kernel does not tell (not Linux).

    TCP_USER_TIMEOUT would not do: it also ends connections whose peer lives but reads nothing for
    a while, as a paused player does.
    """
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_ACK_RECEIVED.size)
        return float(_LAST_ACK_RECEIVED.unpack(info)[0]) / 1000
    except (OSError, AttributeError, struct.error):
        return 0.0


class Unacknowledged:
    """Counts bytes that the peer has not acknowledged, also after the connection's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def bytes(self) -> int:
        """Given to the kernel, and not known to have arrived; 0 where it does not tell."""
        try:
            packed = fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, bytes(4))
        except OSError:
            return 0
        return int(struct.unpack("@i", packed)[0])


@contextmanager
def unacknowledged(connection: socket.socket | None) -> Iterator[Unacknowledged]:
    """Follow a connection by a descriptor of our own, since the transport closes its."""
    descriptor = os.dup(connection.fileno()) if connection is not None else -1
    try:
        yield Unacknowledged(descriptor)
    finally:
        with suppress(OSError):
            os.close(descriptor)
