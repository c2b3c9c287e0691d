"""The port that Prometheus reads: one for a process and all of its children.

Each process counts in a memory-mapped file of its own in a shared folder; whoever was started
first adds the files up when it is asked. Counters of processes that ended stay in the sum.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from countermark.errors import SettingsError
from countermark.settings import Settings

# The client library's name for the folder; children inherit it.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def publish_metrics(settings: Settings) -> None:
    """Serve what this process and its children will count; nothing without a port.

    To be called before any metric is made.

    Raises:
        SettingsError: the port is taken.
    """
    if not settings.metrics_port:
        return
    folder = tempfile.mkdtemp(prefix="countermark-metrics-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[FOLDER_VARIABLE] = folder
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]  # the library has no types here
    registry = CollectorRegistry()
    registry.register(SharedCollector(Path(folder)))
    try:
        start_http_server(settings.metrics_port, settings.host, registry)
    except OSError as error:
        raise SettingsError(
            f"COUNTERMARK_METRICS_PORT is {settings.metrics_port}; accepted: a free port: {error}"
        ) from error


class SharedCollector(Collector):
    """Adds up what the processes of a folder count; those that ended have no gauges."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Read all files."""
        for path in self._folder.glob("gauge_live*_*.db"):
            if not _runs(int(path.stem.rpartition("_")[2])):
                path.unlink(missing_ok=True)
        merged: Any = MultiProcessCollector
        found: Iterable[Metric] = merged(None, str(self._folder)).collect()
        return found


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
