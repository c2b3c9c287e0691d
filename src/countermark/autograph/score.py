"""Scores: how much better a tag explains the evidence than chance does, and what that proves.

A score is the logarithm of a bet's gain. Bet one coin against "this tag is innocent". In each
observed segment i with biases p and likelihoods L the coin is multiplied by

    f(x) / Σ_k p_k f(k),   f(x) = Σ_y T(x, y) L(y),

where x is the tag's symbol there and T(x, y) a model's chance that the leak shows y when one of
the leakers holds x. An innocent's x is drawn from p, independently of everything the leak is made
of, so each factor's mean is exactly 1 whatever L and T are: the coin is a non-negative martingale,
and by Ville's inequality it *ever* reaches 1/a with probability at most a. That holds for every
attack, for evidence made up by an enemy, at every number of segments looked at, and for a
weighted mean of coins on several models, which is what is used. Over N issued tags the chance
that any innocent reaches N/a is at most a. (`docs/autograph.md` proves the rest.)

Sources: J. Ville, "Étude critique de la notion de collectif", 1939; G. Shafer, "Testing by
betting", 2021. Models: T. Laarhoven, "Capacities and capacity-achieving decoders for various
fingerprinting games", 2014 (likelihood ratios as scores, interleaving as the model); E. Abbe and
L. Zheng, "Linear universal decoding for compound channels", 2010, and P. Meerwald and T. Furon,
"Toward practical joint decoding of binary Tardos fingerprinting codes", 2012 (several models at
once; conditioning on those already accused).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.code import Symbols
from countermark.autograph.derivation import UNITS
from countermark.autograph.evidence import Floats

Transitions = NDArray[np.float64]
"""T: chance of y in the leak when a leaker holds x, shape (n, K, K) as [segment, x, y]."""

# The share of symbols that any model lets be wrong. It bounds what one wrong symbol costs a
# leaker, to a factor of 20, and costs 0.05 bits in a segment where all is right.
_WRONG = 0.05


@dataclass(frozen=True)
class Bets:
    """A weighted set of models, priced for one evidence.

    Attributes:
        gains: logarithm of each factor in nats, shape (n, K, B) as [segment, symbol, model].
        weights: the coin's shares, shape (B,), summing to 1.
    """

    gains: Floats
    weights: Floats

    def score(self, codeword: Symbols) -> float:
        """Logarithm (nats) of the whole gain of a tag with this codeword, shape (n,)."""
        return float(mixed(self.sums(codeword), self.weights))

    def sums(self, codeword: Symbols) -> Floats:
        """Each model's logarithmic gain, shape (B,)."""
        sums: Floats = self.gains[np.arange(len(codeword)), codeword].sum(axis=0)
        return sums

    def expected(self, biases: Symbols) -> tuple[Floats, Floats]:
        """What each model expects a leaker to gain in each segment, if the model is right.

        Args:
            biases: sixteenths, shape (n, K).

        Returns:
            Mean and variance in nats and nats², both of shape (n, B).
        """
        chance = biases[:, :, None] / UNITS * np.exp(self.gains)
        mean = (chance * self.gains).sum(axis=1)
        return mean, (chance * self.gains**2).sum(axis=1) - mean**2


def mixed(sums: NDArray[np.floating], weights: Floats) -> Floats:
    """Logarithm of the weighted mean of gains, from their logarithms, shape (…, B) to (…)."""
    top = sums.max(axis=-1, keepdims=True)
    total: Floats = np.log(np.exp(sums - top) @ weights) + top[..., 0]
    return total


def first_bets(biases: Symbols, likelihoods: Floats) -> Bets:
    """Bets on one leaker, on two to eight who mix, on three or five who show what fewest hold.

    Args:
        biases: sixteenths, shape (n, K).
        likelihoods: shape (n, K).
    """
    models = [interleaving(biases, 1), *_colluding(biases)]
    return _bets(biases, likelihoods, models)


def further_bets(biases: Symbols, likelihoods: Floats, accused: Sequence[Symbols]) -> Bets:
    """Bets on one more leaker, beside some whose codewords are known.

    What those explain then speaks for nobody else, and what they don't speaks louder.

    Args:
        biases: sixteenths, shape (n, K).
        likelihoods: shape (n, K).
        accused: their codewords, shape (n,) each; at least one.
    """
    known = len(accused)
    sizes = (known + 1, known + 2, known + 4)
    joint = [interleaving(biases, size, accused) for size in sizes]
    return _bets(biases, likelihoods, [*joint, *_colluding(biases), interleaving(biases, 1)])


def crowd_bets(biases: Symbols, likelihoods: Floats, leakers: int) -> Bets:
    """The whole coin on so many leakers who share the leak evenly; shapes as in `first_bets`."""
    return _bets(biases, likelihoods, [interleaving(biases, leakers)])


def _colluding(biases: Symbols) -> list[Transitions]:
    mixing = [interleaving(biases, size) for size in (2, 3, 5, 8)]
    return [*mixing, minority(biases, 3), minority(biases, 5)]


def _bets(biases: Symbols, likelihoods: Floats, models: Sequence[Transitions]) -> Bets:
    """Price the models, those first that are likeliest."""
    chances = biases / UNITS
    gains = np.empty((*biases.shape, len(models)))
    for number, model in enumerate(models):
        careful = (1 - _WRONG) * model + _WRONG * chances[:, None, :]
        fits = np.einsum("ixy,iy->ix", careful, likelihoods)
        fair = (chances * fits).sum(axis=1, keepdims=True)
        gains[:, :, number] = np.log(fits / fair)
    return Bets(gains, _shares(len(models)))


def _shares(models: int) -> Floats:
    """Half of the coin on the first model, a quarter on the second, the rest evenly."""
    if models == 1:
        return np.ones(1)
    return np.array([1 / 2, 1 / 4, *([1 / 4 / (models - 2)] * (models - 2))])


def interleaving(biases: Symbols, leakers: int, known: Sequence[Symbols] = ()) -> Transitions:
    """Each leaker is shown equally often; some leakers' codewords may be known.

    T(x, y) = ([x = y] + Σ_known [x_a = y] + (c - 1 - |known|) p_y) / c. Against few leakers it is
    also near what their other mixtures amount to, and for many it is their best attack (Y.-W.
    Huang and P. Moulin, "On the saddle-point solution and the large-coalition asymptotics of
    fingerprinting games", 2012).
    """
    count, variants = biases.shape
    strangers = leakers - 1 - len(known)
    shown = np.tile(np.eye(variants), (count, 1, 1))
    shown += (strangers * biases / UNITS)[:, None, :]
    for word in known:
        shown[np.arange(count), :, word] += 1
    return shown / leakers


def minority(biases: Symbols, leakers: int) -> Transitions:
    """The leakers show the symbol that fewest of them hold, ties by lot.

    The sum over what the other c - 1 hold, whose tallies are multinomial with the biases.
    """
    variants = biases.shape[1]
    tallies = _tallies(leakers - 1, variants)
    ways = [factorial(leakers - 1) / prod(map(factorial, tally)) for tally in tallies.tolist()]
    chances = np.tile(np.array(ways), (len(biases), 1))
    for symbol in range(variants):
        chances *= (biases[:, symbol, None] / UNITS) ** tallies[:, symbol]
    held = tallies[:, None, :] + np.eye(variants, dtype=np.int64)
    fewest = np.where(held > 0, held, leakers + 1).min(axis=2, keepdims=True)
    shown = (held == fewest).astype(np.float64)
    shown /= shown.sum(axis=2, keepdims=True)
    model: Transitions = np.tensordot(chances, shown, axes=1)
    return model


def _tallies(draws: int, variants: int) -> NDArray[np.int64]:
    """Every way to hand `draws` symbols out, as counts for each symbol, shape (ways, K)."""
    hands = combinations_with_replacement(range(variants), draws)
    return np.array([np.bincount(hand, minlength=variants) for hand in hands], np.int64)
