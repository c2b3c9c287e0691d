"""A ledger in memory, with a clock that the test may move."""

import time

from countermark.errors import UnavailableError
from countermark.links.ledger import Change, T


class MemoryLedger:
    """All that a ledger does, for one process.

    Attributes:
        ahead: how many seconds its clock is ahead of the real one.
        is_down: whether it answers.
        values: what `revise` has left.
    """

    def __init__(self) -> None:
        self.ahead = 0.0
        self.is_down = False
        self._spent: set[str] = set()
        self.values: dict[str, bytes] = {}

    async def spend(self, key: str, until_s: int) -> bool:  # noqa: ARG002 - it forgets nothing
        self._refuse_when_down()
        first = key not in self._spent
        self._spent.add(key)
        return first

    async def revise(self, key: str, change: Change[T], *, durable: bool = True) -> T:  # noqa: ARG002 - nothing of it is
        self._refuse_when_down()
        value, _, answer = change(self.values.get(key), time.time() + self.ahead)
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value
        return answer

    async def close(self) -> None:
        self.values.clear()

    def _refuse_when_down(self) -> None:
        if self.is_down:
            raise UnavailableError
