"""What an API process counts for Prometheus."""

from time import perf_counter

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

# An unknown method must not make a time series.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class ApiMetrics:
    """Counters of one process.

    Args:
        registry: Where they are registered; one of their own by default.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.answers = Counter(
            "countermark_api_answers",
            "Answers, by method and HTTP status.",
            ["method", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "countermark_api_seconds",
            "Time until an answer's end, by method.",
            ["method"],
            buckets=_SECONDS,
            registry=registry,
        )

    def counted(self, app: ASGIApp) -> ASGIApp:
        """The app, with its answers counted."""

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            asked = scope.get("method")
            if not isinstance(asked, str):  # the application's own start and stop
                await app(scope, receive, send)
                return
            method = asked if asked in _METHODS else "other"

            async def count(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.answers.labels(method, str(message["status"])).inc()
                await send(message)

            began = perf_counter()
            try:
                await app(scope, receive, count)
            finally:
                self.seconds.labels(method).observe(perf_counter() - began)

        return call
