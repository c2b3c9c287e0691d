"""A client of the Jobs resource for tests."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from support.service import Service, until


class JobClient:
    """Asks a service for conversions and waits for them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        answer = service.call("GET", "/presets/", params={"type": "system"})
        assert answer.status_code == 200, answer.text
        self.presets = {preset["name"]: preset["id"] for preset in answer.json()["presets"]}

    def create(self, input_name: str, presets: Sequence[str], **more: Any) -> dict[str, Any]:
        """Ask for a job with an output for each preset."""
        options = more.pop("output_options", {})
        outputs = [{"preset": {"id": self.presets[name]}, **options} for name in presets]
        job = {
            "pipeline": {"id": self.service.pipeline_id},
            "input": {"input_name": input_name},
            "outputs": outputs,
        }
        answer = self.service.call("POST", "/jobs/", json={"job": job | more})
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json()["job"])

    def show(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job as it is now."""
        answer = self.service.call("GET", f"/jobs/{job['id']}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["job"])

    def done(self, job: dict[str, Any], seconds: float = 100.0) -> dict[str, Any]:
        """Wait until the job has ended."""

        def look() -> dict[str, Any] | None:
            now = self.show(job)
            return now if now["status"] in {"SUCCESS", "FAILURE"} else None

        return until(look, seconds, f"job {job['id']} to end")

    @property
    def secret(self) -> bytes:
        """The application's secret, by which notifications are signed."""
        return base64.b64decode(self.service.credentials["client_secret"])

    @contextmanager
    def in_pipeline(self, pipeline_id: str) -> Iterator[None]:
        """Upload and ask for jobs in another pipeline, for the time of a block."""
        usual, self.service.pipeline_id = self.service.pipeline_id, pipeline_id
        try:
            yield
        finally:
            self.service.pipeline_id = usual

    def blobs(self) -> set[str]:
        """All bytes of files in the store."""
        root = self.service.data_dir / "blobs" / "files"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
