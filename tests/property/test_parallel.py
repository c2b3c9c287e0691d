"""A population of clients with crashes: limits are never exceeded, and nobody starves."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from countermark.links.client import Client
from countermark.links.ledger import Change
from countermark.links.parallel import (
    LEASE_SECONDS,
    MOST_LEASES,
    acquire,
    download_of,
    person_of,
    release,
)
from support.links import link

LIMIT = 2
RENEW_SECONDS = 4.0
PERSONS = st.sampled_from(["ann", "bob"])
DOWNLOADS = st.sampled_from([f"download {number}" for number in range(6)])
EDGES = st.sampled_from(["edge 1", "edge 2", "edge 3"])


@dataclass(frozen=True)
class Part:
    """An edge that serves a download to a person."""

    person: str
    download: str
    edge: str


class Population(RuleBasedStateMachine):
    """Edges ask the ledger as they do, and renew as they must; any of them may be killed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000.0
        self.values: dict[str, bytes | None] = {}
        self.running: dict[Part, float] = {}
        self.abandoned: dict[Part, float] = {}

    @rule(person=PERSONS, download=DOWNLOADS, edge=EDGES)
    def begin(self, person: str, download: str, edge: str) -> None:
        part = Part(person, download, edge)
        taken = self.downloads(person, {**self.abandoned, **self.running})
        room = download in taken or len(taken) <= LIMIT
        assert self.ask(part) == room
        if room:
            self.running[part] = self.now
            self.abandoned.pop(part, None)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        part = data.draw(st.sampled_from(sorted(self.running, key=str)))
        del self.running[part]
        self.change(part, release(part.download, part.edge))

    @rule(edge=EDGES)
    def kill(self, edge: str) -> None:
        for part in [part for part in self.running if part.edge == edge]:
            self.abandoned[part] = self.running.pop(part)

    @rule(seconds=st.floats(0.1, 40))
    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + RENEW_SECONDS)
            for part in self.running:
                assert self.ask(part), "a download that runs goes on"
                self.running[part] = self.now
        self.abandoned = {
            part: renewed
            for part, renewed in self.abandoned.items()
            if renewed + LEASE_SECONDS > self.now
        }

    @rule(person=PERSONS)
    def all_end_and_a_new_one_gets_its_slot(self, person: str) -> None:
        for edge in ("edge 1", "edge 2", "edge 3"):
            self.kill(edge)
        self.pass_time(LEASE_SECONDS)
        self.begin(person, "download 0", "edge 1")
        assert Part(person, "download 0", "edge 1") in self.running

    @invariant()
    def no_person_exceeds_the_limit(self) -> None:
        for person in ("ann", "bob"):
            # Itself, and as many others as the link allows.
            assert len(self.downloads(person, self.running)) <= LIMIT + 1

    def downloads(self, person: str, parts: dict[Part, float]) -> set[str]:
        return {part.download for part in parts if part.person == person}

    def ask(self, part: Part) -> bool:
        return self.change(part, acquire(part.download, part.edge, LIMIT))

    def change(self, part: Part, change: Change[bool]) -> bool:
        value, _, answer = change(self.values.get(part.person), self.now)
        self.values[part.person] = value
        return bool(answer)


TestPopulation = Population.TestCase


def test_a_download_that_runs_is_not_ended_by_one_with_a_laxer_limit() -> None:
    value, _, answer = acquire("strict", "edge", 0)(None, 0)
    assert answer
    value, _, answer = acquire("lax", "edge", 5)(value, 1)
    assert answer
    value, _, answer = acquire("strict", "edge", 0)(value, 2)
    assert answer


def test_releasing_twice_does_nothing() -> None:
    value, _, _ = acquire("one", "edge", 0)(None, 0)
    value, _, _ = release("one", "edge")(value, 1)
    assert value is None
    assert release("one", "edge")(value, 1).value is None


def test_what_is_kept_of_a_person_is_bounded() -> None:
    value = None
    for number in range(MOST_LEASES):
        value, _, answer = acquire("one", f"edge {number}", 0)(value, 0)
        assert answer
    assert not acquire("one", "one edge more", 0)(value, 0).answer
    assert acquire("one", "edge 0", 0)(value, 0).answer


def test_a_tag_is_a_person_wherever_it_is_else_the_address_is() -> None:
    here, there = Client("192.0.2.1"), Client("192.0.2.2")
    assert person_of(link(tag="ann"), here) == person_of(link(tag="ann"), there)
    assert person_of(link(tag="ann"), here) != person_of(link(tag="bob"), here)
    assert person_of(link(), here) != person_of(link(), there)
    assert person_of(link(serial="1"), here) == person_of(link(serial="2"), here)
    assert person_of(link(account="1"), here) != person_of(link(account="2"), here)
    assert person_of(link(tag="192.0.2.1"), there) != person_of(link(), here)


def test_a_download_is_one_clients_use_of_one_link() -> None:
    here, there = Client("192.0.2.1"), Client("192.0.2.2")
    assert download_of(link(), here) == download_of(link(), here)
    assert download_of(link(), here) != download_of(link(), there)
    assert download_of(link(serial="1"), here) != download_of(link(serial="2"), here)
