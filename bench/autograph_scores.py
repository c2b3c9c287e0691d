"""`python -m bench.autograph_scores`: our mixture of bets beside the literature's scores.

Each known score gets the best bound that Chernoff's method gives for it, the exponent optimised
over the innocent's exact law, so that only the scores differ. Lengths as in
`bench.autograph_codes`: enough in 95 of 100 trials, here in steps of 4 %.
"""

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.autograph_codes import CASES, SOFT, leak
from countermark.autograph.accuse import needed_score
from countermark.autograph.score import first_bets, mixed

Floats = NDArray[np.float64]
Score = Callable[[Floats, NDArray[np.int64], int], Floats]

_TAGS, _BOUND, _ERROR = 1_000_000, 1e-6, 0.01
_LONGEST = {1: 300, 2: 1500, 3: 4500, 5: 10_000}
_EXPONENTS = np.geomspace(1e-3, 5, 60)


def symmetric(chances: Floats, shown: NDArray[np.int64], _: int) -> Floats:
    """Škorić, Katzenbeisser, Celik 2008."""
    p = chances[np.arange(len(shown)), shown][:, None]
    same = shown[:, None] == np.arange(chances.shape[1])
    return np.where(same, np.sqrt((1 - p) / p), -np.sqrt(p / (1 - p)))


def against_interleaving(chances: Floats, shown: NDArray[np.int64], _: int) -> Floats:
    """Oosterwijk, Škorić, Doumen 2013."""
    p = chances[np.arange(len(shown)), shown][:, None]
    same = shown[:, None] == np.arange(chances.shape[1])
    return np.where(same, 1 / p - 1, -1.0)


def likelihood(chances: Floats, shown: NDArray[np.int64], leakers: int) -> Floats:
    """Laarhoven 2014, told how many leakers there are; with our allowance for wrong symbols."""
    p = chances[np.arange(len(shown)), shown][:, None]
    same = shown[:, None] == np.arange(chances.shape[1])
    share = 0.95 / leakers
    return np.log(np.where(same, share / p + 1 - share, 1 - share))


SCORES: dict[str, Score] = {
    "symmetric": symmetric,
    "against interleaving": against_interleaving,
    "likelihood, c known": likelihood,
}


def chernoff(chances: Floats, gains: Floats, word: NDArray[np.uint8], looks: Floats) -> Floats:
    """Least bound on -log P(an innocent scores as high), at each look, in nats."""
    total = gains[np.arange(len(word)), word].cumsum()[looks]
    best = np.zeros(len(looks))
    for exponent in _EXPONENTS:
        law = np.log((chances * np.exp(exponent * gains)).sum(axis=1)).cumsum()[looks]
        best = np.maximum(best, exponent * total - law)
    return best


def lengths(variants: int, case: tuple[int, str], trials: int) -> list[str]:
    """Length for each score, ours first."""
    longest = _LONGEST[case[0]]
    looks = np.unique(np.geomspace(20, longest, int(np.log(longest / 20) / 0.04)).astype(int)) - 1
    after = np.stack([_proofs(variants, case, trial, longest, looks) for trial in range(trials)])
    named = after >= needed_score(_TAGS, _BOUND)
    often = named.mean(axis=0) >= 0.95
    return [f"{looks[row.argmax()] + 1:,}" if row.any() else f"> {longest:,}" for row in often]


def _proofs(
    variants: int, case: tuple[int, str], trial: int, longest: int, looks: NDArray[np.int64]
) -> Floats:
    """What each score proves against the surest leaker, nats, shape (scores, looks)."""
    made = leak(variants, case, _ERROR, trial, longest)
    biases = made.code.biases(made.evidence.segments)
    shown = made.evidence.likelihoods.argmax(axis=1)
    bets = first_bets(biases, made.evidence.likelihoods)
    rows = np.arange(longest)
    ours = [
        mixed(bets.gains[rows, word].cumsum(axis=0)[looks], bets.weights) for word in made.words
    ]
    proofs = [np.max(ours, axis=0)]
    for score in SCORES.values():
        gains = score(biases / 16, shown, case[0])
        each = [chernoff(biases / 16, gains, word, looks) for word in made.words]
        proofs.append(np.max(each, axis=0))
    return np.stack(proofs)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.autograph_scores", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few trials")
    trials = 5 if parser.parse_args().quick else 40
    print("| leakers | attack | ours | " + " | ".join(SCORES) + " |")
    print("|" + "---|" * (3 + len(SCORES)))
    for case in CASES:
        if case[1] not in SOFT:
            cells = [str(case[0]), case[1], *lengths(2, case, trials)]
            print("| " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
