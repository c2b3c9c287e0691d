"""What every ledger must do, as links/ledger.py says. Each adapter's tests inherit it."""

import asyncio
import sys
import textwrap
import time

from countermark.links.ledger import Ledger, open_ledger

# A process that waits for its line of input, so that all of them begin at once.
_RACER = textwrap.dedent(
    """
    import asyncio, sys
    from countermark.links.ledger import open_ledger

    async def race():
        ledger = open_ledger(sys.argv[1])
        await ledger.spend("warm-up", int(sys.argv[2]))
        print("ready", flush=True)
        sys.stdin.readline()
        won = [key for key in range(200) if await ledger.spend(f"race/{key}", int(sys.argv[2]))]
        await ledger.close()
        print(*won, flush=True)

    asyncio.run(race())
    """
)


def later() -> int:
    return int(time.time()) + 3600


class LedgerSuite:
    async def test_the_first_caller_wins_and_no_other(self, ledger: Ledger) -> None:
        assert await ledger.spend("k", later())
        assert not await ledger.spend("k", later())
        assert not await ledger.spend("k", later() + 9)

    async def test_keys_are_independent(self, ledger: Ledger) -> None:
        assert await ledger.spend("k", later())
        assert await ledger.spend("K", later())
        assert await ledger.spend("k ", later())
        assert await ledger.spend("k" * 200, later())

    async def test_of_many_tasks_one_wins(self, ledger: Ledger) -> None:
        answers = await asyncio.gather(*(ledger.spend("k", later()) for _ in range(50)))
        assert sum(answers) == 1

    async def test_spending_something_else_long_after_does_not_forget(self, ledger: Ledger) -> None:
        assert await ledger.spend("k", later())
        for number in range(20):
            await ledger.spend(f"other/{number}", int(time.time()) - 10_000)
        assert not await ledger.spend("k", later())

    async def test_another_connection_sees_what_was_spent(self, ledger: Ledger, url: str) -> None:
        assert await ledger.spend("k", later())
        other = open_ledger(url)
        assert not await other.spend("k", later())
        await other.close()

    async def test_of_racing_processes_each_key_has_one_winner(self, url: str) -> None:
        racers = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", _RACER, url, str(later()),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )
            for _ in range(2)
        ]  # fmt: skip
        for racer in racers:
            assert racer.stdout is not None
            assert await racer.stdout.readline() == b"ready\n"
        answers = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
        won = [set(map(int, answer.split())) for answer, _ in answers]
        assert won[0] | won[1] == set(range(200))
        assert not won[0] & won[1]
