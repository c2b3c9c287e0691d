"""What the sandbox and its zygote say to each other.

One request is one SOCK_SEQPACKET message of MessagePack, with the writing ends of two pipes. The
probe writes its answer to the first and ends; the zygote then writes one STATUS to the
second. Closing the reading end of the second calls the probe off.
"""

import struct
from typing import Literal

from msgspec import Struct

EXIT_OUT_OF_MEMORY = 3
EXIT_UNREADABLE = 4
EXIT_FAILED = 5

# Exit code as in os.waitstatus_to_exitcode, and whether the deadline was its cause.
STATUS = struct.Struct("<i?")
LARGEST_REQUEST = 16 * 1024


class Request(Struct, frozen=True):
    """What to probe, and its bounds.

    Attributes:
        path: The file, as the file system's bytes.
        name: The user's name for it.
        wall_seconds: Until the probe is killed.
        cpu_seconds: Processor time.
        memory_bytes: Address space.
        task: What is wanted: a Description, or TextTracks.
    """

    path: bytes
    name: str
    wall_seconds: float
    cpu_seconds: int
    memory_bytes: int
    task: Literal["describe", "subtitles"] = "describe"
