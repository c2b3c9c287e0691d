"""Which share of the evidence carries whose symbols: a description of a leak, not an accusation."""

from collections.abc import Mapping

import numpy as np

from countermark.autograph.code import Symbols
from countermark.autograph.derivation import UNITS
from countermark.autograph.evidence import Floats

_STEPS = 100
_TINY = 1e-300


def attribute(
    biases: Symbols, likelihoods: Floats, words: Mapping[str, Symbols], over: float
) -> tuple[dict[str, float], float]:
    """How much of the evidence each codeword explains, by maximum likelihood.

    The mixture: a segment shows one of the words, or chance; its weights by expectation
    maximisation (A. Dempster, N. Laird, D. Rubin, 1977).

    Args:
        biases: sixteenths, shape (n, K).
        likelihoods: shape (n, K).
        words: codewords, shape (n,) each.
        over: a share of chance to compare with.

    Returns:
        The words' shares, and by how many nats the evidence speaks for more chance than `over`
        (0 if the estimate is not above it).
    """
    count = len(biases)
    fair = (biases / UNITS * likelihoods).sum(axis=1)
    columns = [likelihoods[np.arange(count), word] / fair for word in words.values()]
    fits = np.stack([*columns, np.ones(count)], axis=1)
    weights = np.full(fits.shape[1], 1 / fits.shape[1])
    for _ in range(_STEPS if count else 0):
        blame = fits * weights
        weights = (blame / blame.sum(axis=1, keepdims=True)).mean(axis=0)
    shares = dict(zip(words, map(float, weights), strict=False))
    if not words or weights[-1] <= over:
        return shares, 0.0
    calm = np.append(weights[:-1] * (1 - over) / max(1 - weights[-1], _TINY), over)
    return shares, float((np.log(fits @ weights) - np.log(fits @ calm)).sum())
