"""What the worker counts for Prometheus."""

from prometheus_client import CollectorRegistry, Counter


class WorkMetrics:
    """Counters of one worker.

    Args:
        registry: Where they are registered; one of their own by default.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.ingests = Counter(
            "countermark_worker_ingests",
            "Uploads that became files (understood, or with a problem) or failed.",
            ["outcome"],
            registry=registry,
        )
        self.jobs = Counter(
            "countermark_worker_jobs",
            "Jobs that ended, by error code; none for those that succeeded.",
            ["error"],
            registry=registry,
        )
        self.notifications = Counter(
            "countermark_worker_notifications",
            "Notifications that a server took or refused, every attempt.",
            ["outcome"],
            registry=registry,
        )
        self.downloads = Counter(
            "countermark_downloads", "Complete downloads, over all edges.", registry=registry
        )
        self.failures = Counter(
            "countermark_worker_failures", "Failed chores, by name.", ["chore"], registry=registry
        )
