"""What every process that touches hostile media has in common: how it is started, and bounded."""

import os
import resource
import subprocess
import sys
from collections.abc import Mapping

# Matrices here are small: OpenBLAS's threads would spend more on waiting for each other.
_OURS = {"OPENBLAS_NUM_THREADS": "1"}
# No secret of the service, such as a database URL.
_ENVIRONMENT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")


def start_confined(module: str, descriptor: int) -> subprocess.Popen[bytes]:
    """Start a module of ours in a Python process of its own.

    Args:
        module: Its name; it finds the descriptor's number as its only argument.
        descriptor: The only one that it gets, beside the standard ones; of these, only errors lead
            anywhere: to the service's own.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=_OURS | {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ},
        start_new_session=True,  # Ctrl-C is for the service, which then ends the process
    )


def confine(bounds: Mapping[int, int], cpu_seconds: int) -> None:
    """Bound this process for the rest of its life.

    Args:
        bounds: Limits of `resource`, hard and soft alike.
        cpu_seconds: Processor time; the process then ends with SIGXCPU.
    """
    for kind, bound in {**bounds, resource.RLIMIT_CORE: 0}.items():
        resource.setrlimit(kind, (bound, bound))
    # The soft limit ends the process with a signal that tells why; the hard one can't be ignored.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
