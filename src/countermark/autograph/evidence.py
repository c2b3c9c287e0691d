"""What a leak says about its segments' variants, as likelihoods.

Nothing here can make the tracer accuse an innocent: the probability that it states holds whatever
the likelihoods are (see `score`). Good likelihoods name the leaker sooner, that is all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.code import Segments
from countermark.errors import CountermarkError

Floats = NDArray[np.float64]

# How far a segment's amplitude strays from the leak's mean, as a share of it: texture and the
# encoder weigh on the mark unevenly. Also what makes two averaged variants count as unclear.
_AMPLITUDE_SPREAD = 0.4
# How often a correlation is that of two averaged variants, and how often it fits none at all: a
# foreign insert, an overlay.
_AVERAGED = 0.1
_FOREIGN = 0.01
_BURST = 10
_RANGE = 30.0
_HUGE = 1e100


class EvidenceError(CountermarkError, ValueError):
    """Evidence whose arrays do not fit together, or that holds no numbers."""


@dataclass(frozen=True)
class Evidence:
    """Likelihoods of the variants in each observed segment.

    Attributes:
        segments: segment numbers, shape (n,), each once, in any order.
        likelihoods: P(what was seen | variant k), up to a factor of each row; shape (n, K), the
            largest of a row is 1. A row of ones is an erasure.
    """

    segments: Segments
    likelihoods: Floats

    def __post_init__(self) -> None:
        if not _fit(self.segments, self.likelihoods):
            raise EvidenceError("Segments and likelihoods have different lengths")
        if len(np.unique(self.segments)) != len(self.segments):
            # The proof of the bound draws an innocent's symbol once for each row.
            raise EvidenceError("A segment is there twice; join its likelihoods")
        if not (np.isfinite(self.likelihoods).all() and (self.likelihoods > 0).all()):
            raise EvidenceError("A likelihood is not a number above zero")

    @property
    def variants(self) -> int:
        """K, the number of variants."""
        return int(self.likelihoods.shape[1])

    def __len__(self) -> int:
        return len(self.segments)


def from_log_likelihoods(segments: Segments, log_likelihoods: Floats) -> Evidence:
    """Evidence from natural logarithms of likelihoods.

    A segment seen more than once (a loop, an overlap) becomes one row, its logarithms added: an
    innocent has but one symbol there, so it must not count as two.

    Args:
        segments: segment numbers, shape (n,).
        log_likelihoods: shape (n, K), nats, up to a constant of each row; differences over 30
            count as 30, minus infinity is allowed, a row of NaN or of one value is an erasure.

    Raises:
        EvidenceError: the shapes do not match, or a row holds plus infinity or some NaN.
    """
    numbers = np.asarray(segments, np.int64)
    logs = np.array(log_likelihoods, np.float64)
    if not _fit(numbers, logs):
        raise EvidenceError(f"{numbers.shape} segments do not fit {logs.shape} likelihoods")
    logs[np.isnan(logs).all(axis=1) | np.isneginf(logs).all(axis=1)] = 0
    if np.isnan(logs).any() or np.isposinf(logs).any():
        raise EvidenceError("A log-likelihood is not a number below infinity")
    kept, first, rows = np.unique(numbers, return_index=True, return_inverse=True)
    summed = np.zeros((len(kept), logs.shape[1]))
    np.add.at(summed, rows, _confined(logs))
    order = np.argsort(first)
    return Evidence(kept[order], np.exp(_confined(summed[order])))


def from_symbols(segments: Segments, symbols: NDArray[np.integer], variants: int) -> Evidence:
    """Evidence from decided symbols; -1 is an erasure.

    How often decisions are wrong need not be known: the tracer's models allow for it.

    Raises:
        EvidenceError: a symbol is not one of -1 … K - 1.
    """
    decided = np.asarray(symbols, np.int64)
    if decided.size and not -1 <= decided.min() <= decided.max() < variants:
        raise EvidenceError(f"Symbols are -1 … {variants - 1}")
    logs = np.where(decided[:, None] == np.arange(variants), 0.0, -_RANGE)
    logs[decided < 0] = 0
    return from_log_likelihoods(segments, logs)


def from_correlations(segments: Segments, correlations: Floats, noise: Floats) -> Evidence:
    """Evidence from the leak's correlations with the variants' deviations from their mean.

    The model: a segment of variant k has correlations a·(1 at k, -1/(K-1) elsewhere) plus
    Gaussian noise of the standard deviation given; a segment averaged from two variants has the
    mean of theirs; some fit neither (an insert) and say little. The leak's amplitude a is estimated
    from the second moment of all segments, so any common unit will do.

    Args:
        segments: segment numbers, shape (n,).
        correlations: shape (n, K); with the mark untouched, 1 at the true variant. A row of
            NaN, or beyond 1e100, is an erasure. For K = 2 the second column is the negative of
            the first.
        noise: standard deviation of one row's correlations, shape (n,), in the same unit,
            positive.

    Raises:
        EvidenceError: the shapes do not match, or noise is not positive.
    """
    seen = np.array(correlations, np.float64)
    spread = np.asarray(noise, np.float64)
    if not _fit(spread, seen):
        raise EvidenceError(f"{spread.shape} noise does not fit {seen.shape} correlations")
    # Comparisons with NaN are false: what is missing is lost as well.
    lost = ~((np.abs(seen) < _HUGE).all(axis=1) & (np.abs(spread) < _HUGE))
    seen[lost], spread = 0, np.where(lost, 1, spread)
    if (spread <= 0).any():
        raise EvidenceError("A standard deviation is above zero")
    logs = _log_likelihoods(seen, spread, amplitude_of(seen[~lost], spread[~lost]))
    logs[lost] = 0
    return from_log_likelihoods(segments, logs)


def _fit(column: NDArray[np.generic], table: Floats) -> bool:
    return column.ndim == 1 and table.ndim == column.ndim + 1 and len(column) == len(table)


def amplitude_of(seen: Floats, spread: Floats) -> float:
    """The mark's amplitude by moments: E |z|² (K-1)/K = a² + (K-1) s² under the model.

    Args:
        seen: correlations, shape (n, K).
        spread: standard deviation of each row's, shape (n,).

    Neither a burst nor a segment that claims to have no noise may decide it alone: power counts
    up to ten times its median, and weights level off where noise is below the median power.
    """
    if not len(seen):
        return 0.0
    count = seen.shape[1] - 1
    power = (seen**2).sum(axis=1) * count / (count + 1)
    usual = float(np.median(power))
    noise = count * spread**2
    excess = np.minimum(power, _BURST * usual) - noise
    square = np.average(excess, weights=1 / (noise + usual))
    return float(np.sqrt(max(square, 0.0)))


def _log_likelihoods(seen: Floats, spread: Floats, amplitude: float) -> Floats:
    """Logarithms of L(k): Gaussians around k's corner and k's edges, and a wide one around none."""
    count = seen.shape[1] - 1
    scale = count / (count + 1)
    shades, holders = _shades(count + 1)
    near = spread**2 + (_AMPLITUDE_SPREAD * amplitude) ** 2
    wide = spread**2 + amplitude**2
    misses = ((seen[:, None, :] - amplitude * shades) ** 2).sum(axis=2)
    fits = -scale * misses / (2 * near[:, None]) - count / 2 * np.log(near)[:, None]
    none = -scale * (seen**2).sum(axis=1) / (2 * wide) - count / 2 * np.log(wide)
    best = np.maximum(fits.max(axis=1), none)[:, None]
    likelihoods = np.exp(fits - best) @ holders + _FOREIGN * np.exp(none[:, None] - best)
    logs: Floats = np.log(likelihoods)
    return logs


def _shades(variants: int) -> tuple[Floats, Floats]:
    """What a segment can look like: a variant, or the average of two.

    Returns:
        Correlations at amplitude 1, shape (S, K), and the chance of each shade for a leaker who
        holds variant k, shape (S, K): two who average both count as holders.
    """
    others = 1 / (variants - 1)
    corners = np.eye(variants) * (1 + others) - others
    first, second = np.triu_indices(variants, 1)
    held = (np.eye(variants)[first] + np.eye(variants)[second]) * others
    shades = np.concatenate((corners, (corners[first] + corners[second]) / 2))
    chances = ((1 - _FOREIGN - _AVERAGED) * np.eye(variants), _AVERAGED * held)
    return shades, np.concatenate(chances)


def _confined(logs: Floats) -> Floats:
    """Each row with its largest at 0 and none under -30, where doubles still tell them apart."""
    confined: Floats = np.maximum(logs - logs.max(axis=1, keepdims=True), -_RANGE)
    return confined
