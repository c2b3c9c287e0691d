"""The whole service's metrics stand on one port, off unless it is set."""

from pathlib import Path

import httpx
import pytest

from support.ports import free_port
from support.service import running, until

pytestmark = pytest.mark.e2e


def test_one_port_sums_up_all_processes(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, edges=2, metrics_port=str(port)) as service:
        path = tmp_path / "data.bin"
        path.write_bytes(b"data" * 1000)
        link = service.link(service.put_in(path)["id"])
        for _ in range(4):
            assert httpx.get(link).status_code == 200

        def complete() -> str | None:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
            return text if "countermark_downloads_total 4.0" in text else None

        text = until(complete, what="four downloads to be counted")
        assert "countermark_edge_sent_bytes_total 16000.0" in text
        assert 'countermark_worker_ingests_total{outcome="understood"} 1.0' in text
        assert 'countermark_api_answers_total{method="GET",status="200"}' in text
        for base in (service.api.removesuffix("/v1"), service.edge):
            assert httpx.get(f"{base}/ready").json() == {"status": "ready"}
