"""Metrics of several processes are one sum on one port."""

import subprocess
import sys
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, values
from prometheus_client.parser import text_string_to_metric_families

from countermark.api.metrics import ApiMetrics
from countermark.cli import metrics as published
from countermark.edge.metrics import EdgeMetrics
from countermark.errors import SettingsError
from countermark.settings import Settings
from support.ports import free_port

_CHILD = """
from countermark.work.metrics import WorkMetrics
from countermark.edge.metrics import EdgeMetrics
WorkMetrics().downloads.inc(2)
EdgeMetrics().running.inc()
"""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Where metrics are served; the library counts in memory again afterwards."""
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv(published.FOLDER_VARIABLE, "replaced")
    port = free_port()
    published.publish_metrics(Settings(metrics_port=port))
    return port


def read(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counters_of_ended_processes_stay_and_their_gauges_go(port: int) -> None:
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _CHILD], check=True, timeout=60)
    found = read(port)
    assert found["countermark_downloads_total"] == 4
    assert "countermark_edge_transfers" not in found


def test_this_processes_counts_are_there_at_once(port: int) -> None:
    metrics = EdgeMetrics()
    metrics.running.inc()
    metrics.bytes.inc(10)
    found = read(port)
    assert found["countermark_edge_transfers"] == 1
    assert found["countermark_edge_sent_bytes_total"] == 10


def test_a_taken_port_stops_the_start(port: int) -> None:
    with pytest.raises(SettingsError, match=f"COUNTERMARK_METRICS_PORT is {port}; accepted"):
        published.publish_metrics(Settings(metrics_port=port))


def test_without_a_port_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(published.FOLDER_VARIABLE, raising=False)
    before = values.ValueClass
    published.publish_metrics(Settings())
    assert values.ValueClass is before


async def test_an_unknown_method_is_counted_under_one_name() -> None:
    registry = CollectorRegistry()

    async def app(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 405, "headers": []})

    async def send(_message: object) -> None:
        return

    counted = ApiMetrics(registry).counted(app)
    for method in ("GET", "BREW", "PROPFIND"):
        await counted({"type": "http", "method": method}, None, send)
    sample = registry.get_sample_value
    labels = {"method": "other", "status": "405"}
    assert sample("countermark_api_answers_total", labels) == 2
    assert sample("countermark_api_seconds_count", {"method": "GET"}) == 1
