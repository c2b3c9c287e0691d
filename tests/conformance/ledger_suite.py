"""What every ledger must do, as links/ledger.py says. Each adapter's tests inherit it."""

import asyncio
import sys
import textwrap
import time

import pytest

from countermark.links.ledger import Change, Ledger, Revised, open_ledger

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


_COUNTER = textwrap.dedent(
    """
    import asyncio, sys, time
    from countermark.links.ledger import Revised, open_ledger

    def one_more(value, now):
        count = int(value or b"0") + 1
        return Revised(str(count).encode(), now + 3600, count)

    async def count():
        ledger = open_ledger(sys.argv[1])
        await ledger.spend("warm-up", int(time.time()) + 60)
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(100):
            await ledger.revise("count", one_more, durable=False)
        await ledger.close()

    asyncio.run(count())
    """
)


def later() -> int:
    return int(time.time()) + 3600


def put(new: bytes | None) -> Change[bytes | None]:
    """Replace the value; the answer is the one before."""
    return lambda value, now: Revised(new, now + 3600, value)


async def processes(program: str, *arguments: str) -> list[bytes]:
    """Run the program twice, both from the same moment; gives what they print."""
    racers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    assert [racer.returncode for racer in racers] == [0, 0]
    return [answer for answer, _ in answers]


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

    async def test_a_value_is_what_the_last_change_made_of_it(self, ledger: Ledger) -> None:
        binary = bytes(range(256))
        assert [await ledger.revise("k", put(new)) for new in (binary, b"2", None, b"4")] == [
            None,
            binary,
            b"2",
            None,
        ]

    async def test_values_are_independent_of_marks_and_of_each_other(self, ledger: Ledger) -> None:
        assert await ledger.revise("k", put(b"1")) is None
        assert await ledger.revise("K", put(b"2")) is None
        assert await ledger.spend("k", later())
        assert await ledger.revise("k", put(b"3")) == b"1"

    async def test_a_change_sees_the_time(self, ledger: Ledger) -> None:
        told = await ledger.revise("k", lambda _, now: Revised(None, now, now))
        assert abs(told - time.time()) < 5

    async def test_a_change_that_fails_changes_nothing(self, ledger: Ledger) -> None:
        def fail(_value: bytes | None, _now: float) -> Revised[None]:
            raise ZeroDivisionError

        await ledger.revise("k", put(b"1"))
        with pytest.raises(ZeroDivisionError):
            await ledger.revise("k", fail)
        assert await ledger.revise("k", put(b"2")) == b"1"

    async def test_a_value_is_kept_until_its_time(self, ledger: Ledger) -> None:
        await ledger.revise("k", put(b"1"))
        for number in range(20):
            await ledger.revise(f"other/{number}", lambda _, now: Revised(b"x", now - 9999, None))
        assert await ledger.revise("k", put(b"2")) == b"1"

    async def test_no_change_of_racing_tasks_is_lost(self, ledger: Ledger) -> None:
        def one_more(value: bytes | None, now: float) -> Revised[int]:
            count = int(value or b"0") + 1
            return Revised(str(count).encode(), now + 60, count)

        answers = await asyncio.gather(*(ledger.revise("k", one_more) for _ in range(40)))
        assert sorted(answers) == list(range(1, 41))


class SharedLedgerSuite(LedgerSuite):
    """Of ledgers that several processes share."""

    async def test_another_connection_sees_what_was_spent(self, ledger: Ledger, url: str) -> None:
        assert await ledger.spend("k", later())
        other = open_ledger(url)
        assert not await other.spend("k", later())
        await other.close()

    async def test_of_racing_processes_each_key_has_one_winner(self, url: str) -> None:
        answers = await processes(_RACER, url, str(later()))
        won = [set(map(int, answer.split())) for answer in answers]
        assert won[0] | won[1] == set(range(200))
        assert not won[0] & won[1]

    async def test_no_change_of_racing_processes_is_lost(self, ledger: Ledger, url: str) -> None:
        await processes(_COUNTER, url)
        assert await ledger.revise("count", put(b"0")) == b"200"
