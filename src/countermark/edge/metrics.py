"""What an edge counts for Prometheus."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge

from countermark.edge.transfers import Transfer

# Where a response carries the code of its error.
ERROR_CODE: web.ResponseKey[str] = web.ResponseKey("error_code", str)


class EdgeMetrics:
    """Counters of one edge: a listener of its transfers.

    Args:
        registry: Where they are registered; one of their own by default.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.answers = Counter(
            "countermark_edge_answers",
            "Answers, by HTTP status and error code.",
            ["status", "error"],
            registry=registry,
        )
        self.bytes = Counter(
            "countermark_edge_sent_bytes", "Bytes of files given to the kernel.", registry=registry
        )
        self.running = Gauge(
            "countermark_edge_transfers",
            "Transfers that run.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    async def answered(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Count an answer: a signal handler of aiohttp's on_response_prepare."""
        self.answers.labels(str(response.status), response.get(ERROR_CODE, "")).inc()

    def begun(self, _transfer: Transfer) -> None:
        """Count a transfer that runs."""
        self.running.inc()

    def sent(self, _transfer: Transfer, start: int, stop: int) -> None:
        """Count bytes."""
        self.bytes.inc(stop - start)

    def ended(self, _transfer: Transfer) -> None:
        """Count it no more."""
        self.running.dec()
