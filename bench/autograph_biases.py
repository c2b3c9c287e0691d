"""`python -m bench.autograph_biases`: what one symbol tells, for several laws of the biases.

Two variants, no wrong symbols: the mutual information, in bits, of one leaker's symbol and the
leak's, given the bias; the most that any score of single tags can use if it knows the attack.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, betabinom, binom

from bench.autograph_codes import ATTACKS

Law = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Biases and how likely each is."""


def continuous(concentration: float, cutoff: float) -> Law:
    """A beta law squeezed between the cutoffs, at 400 quantiles."""
    quantiles = beta.ppf((np.arange(400) + 0.5) / 400, concentration, concentration)
    return cutoff + (1 - 2 * cutoff) * quantiles, np.full(400, 1 / 400)


def urn(concentration: float) -> Law:
    """The law of `countermark.autograph.code`: 14 balls over a floor of one sixteenth."""
    balls = np.arange(15)
    return (balls + 1) / 16, betabinom.pmf(balls, 14, concentration, concentration)


LAWS: dict[str, Law] = {
    "arcsine, cutoff 1/64": continuous(0.5, 1 / 64),
    "urn, 1/2": urn(0.5),
    "urn, 1": urn(1),
    "urn, 2": urn(2),
    "urn, 3 (ours)": urn(3),
    "urn, 4": urn(4),
    "always 1/2": (np.array([0.5]), np.ones(1)),
}


def shown_one(leakers: int, attack: str) -> NDArray[np.float64]:
    """Chance that the leak shows symbol 1, by how many leakers hold it, shape (c + 1,)."""
    held = np.arange(leakers + 1) / leakers
    lot = np.where(held % 1 == 0, held, 0.5)
    rules = {
        "interleaving": held,
        "majority": np.where(held == 0.5, 0.5, held > 0.5),
        "minority": np.where((held % 1 == 0) | (held == 0.5), lot, held < 0.5),
        "random": lot,
    }
    return rules[attack]


def information(law: Law, leakers: int, attack: str) -> float:
    """Bits that one symbol tells about one leaker."""
    biases, weights = law
    shown = shown_one(leakers, attack)
    others = binom.pmf(np.arange(leakers), leakers - 1, biases[:, None])
    by_symbol = np.stack((others @ shown[:-1], others @ shown[1:]))
    fair = (1 - biases) * by_symbol[0] + biases * by_symbol[1]
    bits = _entropy(fair) - (1 - biases) * _entropy(by_symbol[0]) - biases * _entropy(by_symbol[1])
    return float(weights @ bits)


def _entropy(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(chance, 1e-15, 1 - 1e-15)
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def main() -> int:
    cases = [(1, "interleaving"), (2, "interleaving"), *((c, a) for c in (3, 5) for a in ATTACKS)]
    print(
        "| biases | " + " | ".join(f"{c} {attack if c > 1 else ''}" for c, attack in cases) + " |"
    )
    print("|" + "---|" * (len(cases) + 1))
    for name, law in LAWS.items():
        cells = [f"{information(law, *case):.3f}" for case in cases]
        print("| " + " | ".join([name, *cells]) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
