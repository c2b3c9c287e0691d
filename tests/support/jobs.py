"""A client of the Jobs resource for tests."""

from collections.abc import Sequence
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
