"""`python -m bench.autograph_codes [--quick]`: how long a leak must be, and how long scoring takes.

Simulated leaks of real codewords; the tables are those of docs/autograph.md. A trial's length is
the first multiple of ten symbols after which at least one leaker is accused; a cell shows the
length that suffices in 95 of 100 trials.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bench.results import Row, table
from countermark.autograph.accuse import DEFAULT_BOUND, accuse, needed_score
from countermark.autograph.code import Code, Symbols
from countermark.autograph.evidence import Evidence, from_correlations, from_symbols
from countermark.autograph.scan import scan
from countermark.autograph.score import Bets, first_bets, mixed

ERRORS = (0.0, 0.01, 0.05, 0.1)
TAGS = (10_000, 1_000_000)
_LONGEST = {1: 400, 2: 1500, 3: 4500, 5: 10_000}
_STEP = 10
SOFT = ("averaging", "one leaker, soft")

Attack = Callable[[NDArray[np.uint8], int, np.random.Generator], NDArray[np.uint8]]


def interleaving(
    words: NDArray[np.uint8], _: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Each segment from a leaker drawn by lot."""
    length = words.shape[1]
    return words[random.integers(0, len(words), length), np.arange(length)]


def majority(
    words: NDArray[np.uint8], variants: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """What most leakers hold, ties by lot."""
    return _preferred(words, variants, random, lambda held: held.astype(float))


def minority(
    words: NDArray[np.uint8], variants: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """What fewest leakers hold, ties by lot."""
    return _preferred(words, variants, random, lambda held: -held.astype(float))


def any_held(
    words: NDArray[np.uint8], variants: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Any variant that some leaker holds, each as likely."""
    return _preferred(words, variants, random, lambda held: held * 0.0)


def _preferred(
    words: NDArray[np.uint8],
    variants: int,
    random: np.random.Generator,
    value: Callable[[NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.uint8]:
    held = (words[:, :, None] == np.arange(variants)).sum(axis=0)
    lot = random.random(held.shape) / 2
    choice = np.where(held > 0, value(held) + lot, -np.inf).argmax(axis=1)
    return choice.astype(np.uint8)


ATTACKS: dict[str, Attack] = {
    "interleaving": interleaving,
    "majority": majority,
    "minority": minority,
    "random": any_held,
}
CASES = [
    (1, "one leaker"),
    (1, "one leaker, soft"),
    (2, "interleaving"),
    (2, "averaging"),
    *itertools.product((3, 5), ATTACKS),
]


@dataclass(frozen=True)
class Leak:
    """One simulated leak: its code, its leakers' codewords, the evidence."""

    code: Code
    words: NDArray[np.uint8]
    evidence: Evidence


def leak(variants: int, case: tuple[int, str], error: float, trial: int, length: int) -> Leak:
    """A leak by the first recipients of a master of its own.

    Args:
        variants: K.
        case: how many leakers, and what they do.
        error: share of symbols that are read wrongly; for soft evidence, the noise at which a
            single copy of two variants would be read wrongly so often.
        trial: seed.
        length: symbols.
    """
    random = np.random.default_rng([trial, variants, case[0], int(error * 1000)])
    code, segments = Code(random.bytes(32), f"trial {trial}", variants), np.arange(length)
    words = np.stack([code.codeword(f"leaker {number}", segments) for number in range(case[0])])
    if case[1] in SOFT:
        return Leak(code, words, averaged(segments, words, variants, error, random))
    attack = ATTACKS.get(case[1], interleaving)
    shown = attack(words, variants, random).astype(np.int64)
    wrong = random.random(length) < error
    shown = np.where(wrong, (shown + random.integers(1, variants, length)) % variants, shown)
    return Leak(code, words, from_symbols(segments, shown, variants))


def averaged(
    segments: NDArray[np.int64],
    words: NDArray[np.uint8],
    variants: int,
    error: float,
    random: np.random.Generator,
) -> Evidence:
    """Soft evidence of the mean of the copies."""
    noise = 0.2 if error == 0 else 1 / norm.isf(error)
    others = 1 / (variants - 1)
    corners = np.eye(variants) * (1 + others) - others
    shades = corners[words].mean(axis=0)
    drawn = random.normal(0, noise, shades.shape) * np.sqrt(1 + others)
    drawn -= drawn.mean(axis=1, keepdims=True)
    return from_correlations(segments, shades + drawn, np.full(len(segments), noise))


def named_after(case: Leak, tags: int) -> int | None:
    """Symbols after which the surest leaker is accused, in steps of ten."""
    biases = case.code.biases(case.evidence.segments)
    bets = first_bets(biases, case.evidence.likelihoods)
    need = needed_score(tags, DEFAULT_BOUND)
    over = np.stack([running(bets, word) for word in case.words]).max(axis=0) >= need
    return int(over.argmax() + 1) * _STEP if over.any() else None


def running(bets: Bets, word: Symbols) -> NDArray[np.float64]:
    """A tag's score after 10, 20, 30 … symbols, nats."""
    sums = bets.gains[np.arange(len(word)), word].cumsum(axis=0)
    return mixed(sums[_STEP - 1 :: _STEP], bets.weights)


def lengths(variants: int, case: tuple[int, str], error: float, trials: int) -> list[str]:
    """For 10,000 and 1,000,000 tags, the length that suffices in 95 of 100 trials."""
    longest = _LONGEST[case[0]] if variants == 2 else _LONGEST[case[0]] * 3 // 10
    found: list[list[int]] = [[] for _ in TAGS]
    for trial in range(trials):
        made = leak(variants, case, error, trial, longest)
        for tags, row in zip(TAGS, found, strict=True):
            row.append(named_after(made, tags) or longest + 1)
    enough = [sorted(row)[int(np.ceil(0.95 * trials)) - 1] for row in found]
    return [f"{length:,}" if length <= longest else f"> {longest:,}" for length in enough]


def length_table(variants: int, trials: int) -> str:
    """Lengths for all cases as Markdown; a cell is 10,000 / 1,000,000 tags."""
    heads = ["leakers", "attack", *(f"{error:.0%} wrong" for error in ERRORS)]
    lines = [_cells(heads), _cells(["---"] * len(heads))]
    for case in CASES:
        cells = [" / ".join(lengths(variants, case, error, trials)) for error in ERRORS]
        lines.append(_cells([str(case[0]), case[1], *cells]))
        print(lines[-1], flush=True)
    return "\n".join(lines)


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def innocents_accused(variants: int, trials: int, tags: int) -> tuple[int, int, int]:
    """Whole inquiries over all cases with many innocent tags.

    Returns:
        Inquiries, those that named at least one leaker, and innocents accused.
    """
    named = innocent = count = 0
    for number, case in enumerate(CASES * trials):
        made = leak(variants, case, 0.05, 10_000 + number, _LONGEST[case[0]] // 2)
        issued = [*(f"leaker {who}" for who in range(case[0])), *map(str, range(tags))]
        verdict = accuse(made.code, made.evidence, lambda issued=issued: issued, len(issued))
        guilty = [accused.tag.startswith("leaker") for accused in verdict.accused]
        count, named, innocent = count + 1, named + any(guilty), innocent + guilty.count(False)
    return count, named, innocent


def named_share(
    variants: int, case: tuple[int, str], error: float, length: int, tags: int, trials: int
) -> float:
    """Share of trials in which at least one leaker is accused after `length` symbols."""
    made = (leak(variants, case, error, trial, length) for trial in range(trials))
    return float(np.mean([named_after(one, tags) is not None for one in made]))


def scoring_seconds(variants: int, length: int, tags: int) -> float:
    """CPU time of one pass over so many tags, by one thread."""
    made = leak(variants, (1, "one leaker"), 0.01, 0, length)
    segments = made.evidence.segments + 900
    bets = first_bets(made.code.biases(segments), made.evidence.likelihoods)
    names = (f"recipient {number}".encode() for number in range(tags))
    start = time.process_time()
    for _ in scan(made.code, segments, bets, names):
        pass
    return time.process_time() - start


def rows(*, quick: bool = False) -> Iterator[Row]:
    """Rows for the page of AutoGraph's figures."""
    trials = 20 if quick else 400
    for length, tags in ((60, 10_000), (120, 10_000), (100, 1_000_000)):
        what = f"{length} symbols, noise of 1 % wrong, one leaker of {tags:,}, K = 2"
        yield _named(what, named_share(2, (1, "one leaker, soft"), 0.01, length, tags, trials))
    for attack in ("interleaving", "averaging"):
        what = f"300 symbols, 1 % wrong, two leakers of 10,000, {attack}, K = 2"
        yield _named(what, named_share(2, (2, attack), 0.01, 300, 10_000, trials))
    count, named, innocent = innocents_accused(2, 1 if quick else 5, 1000 if quick else 10_000)
    what = f"innocents accused in {count} inquiries ({named} named a leaker)"
    yield Row(what, str(innocent), "", None, "0", innocent == 0)
    seconds = scoring_seconds(2, 1800, 20_000 if quick else 1_000_000) * (50 if quick else 1)
    what = "CPU time, 1,000,000 tags x 1,800 symbols"
    yield Row(what, f"{seconds:.1f} s", "", None, "≤ 20 s", seconds <= 20)


def _named(what: str, share: float) -> Row:
    return Row(what, f"named in {share:.1%}", "", None, "≥ 95 %", share >= 0.95)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.autograph_codes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few trials, two variants only")
    quick = parser.parse_args().quick
    print(table(list(rows(quick=quick))))
    for variants in (2,) if quick else (2, 4, 8):
        print(f"\n{variants} variants, 10,000 / 1,000,000 tags")
        length_table(variants, 10 if quick else 100)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
