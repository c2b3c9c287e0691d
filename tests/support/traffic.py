"""Traffic logs for tests: one in memory, and one that fails for as long as a test wants."""

from dataclasses import dataclass, field

from countermark.errors import UnavailableError
from countermark.links.traffic import Batch


@dataclass
class MemoryTraffic:
    """Keeps batches by their ids, and raises after keeping them while `failing`."""

    batches: dict[str, Batch] = field(default_factory=dict)
    failing: bool = False

    def append(self, batch: Batch) -> None:
        self.batches.setdefault(batch.id, batch)
        if self.failing:
            raise UnavailableError

    @property
    def bytes(self) -> int:
        return sum(one.bytes for batch in self.batches.values() for one in batch.sent)

    @property
    def downloads(self) -> int:
        return sum(one.downloads for batch in self.batches.values() for one in batch.sent)
