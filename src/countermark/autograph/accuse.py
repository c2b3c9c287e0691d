"""From evidence and the issued tags to a verdict: who is accused, how surely, or what is missing.

The whole inquiry wrongly accuses anybody with a probability of at most its bound. Each round may
spend its part of the bound: nine tenths for the first, nine hundredths for the second, and so on.
Within a round any number of looks at growing evidence are free (see `score`). A later round may
condition on those accused before: unless an earlier round was wrong already, they are leakers,
their codewords belong to what made the leak, and an innocent's is independent of them.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.attribution import attribute
from countermark.autograph.code import Code, Symbols
from countermark.autograph.derivation import tag_bytes
from countermark.autograph.evidence import Evidence, EvidenceError
from countermark.autograph.scan import scan
from countermark.autograph.score import Bets, crowd_bets, first_bets, further_bets

Tags = Callable[[], Iterable[str]]

DEFAULT_BOUND = 1e-6
SCORE_BITS = 64
"""The distribution of scores is counted in bins of one bit from -64 to 64, the ends open."""

_ROUNDS = 3
# Single precision errs by less than this over any film (tests hold it), in nats.
_SLACK = 0.5
# Shares of the evidence that the accused don't explain: from the first on it is worth looking for
# others, from the second on others are the likely reason; wrong symbols explain less than that.
_WORTH_A_ROUND = 0.15
_OTHERS = 0.3
_CLEARLY = np.log(1000)
# Sizes of crowds to tell an outlook for, and the odds that the first round's bets give each.
_ODDS = {1: 2, 2: 4, 3: 20, 5: 20}
# Nats a segment; below this the evidence is noise and any outlook would be invented.
_LEAST_RATE = 1e-3


@dataclass(frozen=True)
class Accusation:
    """A tag that chance does not explain.

    Attributes:
        tag: as issued.
        probability: at most how likely it is that any innocent among all issued tags is accused
            on evidence like this; never over the bound.
        share: estimated share of the evidence that carries this tag's symbols, 0 to 1.
    """

    tag: str
    probability: float
    share: float


@dataclass(frozen=True)
class Outlook:
    """How much more evidence like this would do, under the fewest leakers that it leaves open.

    It supposes that their tags were issued: symbols alone don't tell a copy that was never issued
    from one that several recipients mixed. A number of leakers is ruled out if one of their tags
    would by now have scored more than any tag has.

    Attributes:
        symbols: how many more segments.
        leakers: how many leakers that supposes, sharing the leak evenly.
    """

    symbols: int
    leakers: int


@dataclass(frozen=True)
class Verdict:
    """What the evidence says.

    Attributes:
        accused: those accused, surest first; empty means "insufficient evidence".
        together: the evidence points to several recipients acting together.
        unexplained: share of the evidence that none of the accused explains, 0 to 1.
        outlook: with nobody accused, what more would do if the tag was issued; None if no amount
            can be told: the leak carries no mark of this master, or its tag was not issued.
        bound: the greatest allowed chance of a wrong accusation.
        threshold: score needed in the first round, bits.
        scores: how many tags scored what in the first round, shape (129,), one bit a bin.
        tags: how many were scored.
        symbols: how many segments were looked at.
    """

    accused: tuple[Accusation, ...]
    together: bool
    unexplained: float
    outlook: Outlook | None
    bound: float
    threshold: float
    scores: NDArray[np.int64]
    tags: int
    symbols: int


def spend(bound: float, look: int) -> float:
    """The bound for one of several looks at the same leak with evidence computed anew.

    A half for the first, a sixth for the second, a twelfth for the third: 1 / (k (k + 1)) for the
    k-th, together the bound.
    Evidence from `from_correlations` is computed anew whenever segments are added, as its
    amplitude is; so is any after a better registration.

    Args:
        bound: for all looks together.
        look: 1 for the first.
    """
    return bound / (look * (look + 1))


def needed_score(issued: int, bound: float, number: int = 0) -> float:
    """Score in nats that a round takes to accuse: N over its part of the bound.

    Args:
        issued: N, how many tags are scored.
        bound: of the whole inquiry.
        number: of the round, 0 for the first.
    """
    return float(np.log(issued / (bound * 0.9 * 0.1**number)))


def expected(code: Code, evidence: Evidence, leakers: int = 1) -> tuple[float, float]:
    """What one of so many leakers who share a leak evenly would score on this evidence.

    It depends on the evidence alone, so whoever waits for it before he looks at the scores spends
    nothing of the bound.

    Args:
        code: the master's code.
        evidence: see `countermark.autograph.evidence`.
        leakers: how many.

    Returns:
        Mean and standard deviation, nats.
    """
    biases = code.biases(evidence.segments)
    bets = crowd_bets(biases, evidence.likelihoods, leakers)
    mean, variance = (float(part.sum()) for part in bets.expected(biases))
    return mean, float(np.sqrt(variance))


def sufficient(issued: int, bound: float = DEFAULT_BOUND) -> float:
    """Score in nats, as `expected` has it, that names a single leaker.

    Args:
        issued: how many tags are scored.
        bound: greatest allowed probability that anybody innocent is accused.
    """
    return needed_score(max(issued, 1), bound) + float(np.log(_ODDS[1]))


def accuse(
    code: Code, evidence: Evidence, tags: Tags, issued: int, bound: float = DEFAULT_BOUND
) -> Verdict:
    """Score all issued tags and accuse those, and only those, whom chance does not explain.

    While nobody is accused it may be called again with more evidence; the choice of further
    segments may depend on everything seen before. That is free if all former rows stay as they
    were; else give each call what `spend` says.

    Args:
        code: the master's code.
        evidence: see `countermark.autograph.evidence`.
        tags: gives all issued tags anew at each call, each once; at most three passes are made.
        issued: how many those are, before any are scored.
        bound: greatest allowed probability that anybody innocent is accused, over all tags.

    Raises:
        EvidenceError: the evidence has another number of variants than the code.
        TagError: an issued tag cannot be one.
    """
    if evidence.variants != code.variants:
        raise EvidenceError(f"Evidence of {evidence.variants} variants, not {code.variants}")
    inquiry = _Inquiry(code, evidence, tags, bound, max(issued, 1))
    inquiry.first_round()
    for number in range(1, _ROUNDS):
        if not inquiry.accused or inquiry.unexplained(_WORTH_A_ROUND) == 0:
            break
        if not inquiry.further_round(number):
            break
    return inquiry.verdict()


@dataclass
class _Inquiry:
    """One run of `accuse`: what was found so far."""

    code: Code
    evidence: Evidence
    tags: Tags
    bound: float
    issued: int
    accused: dict[str, float] = field(default_factory=dict)  # tag to probability
    best: float = -np.inf  # highest score of the first round, nats

    def __post_init__(self) -> None:
        self.scores = np.zeros(2 * SCORE_BITS + 1, np.int64)
        self.biases = self.code.biases(self.evidence.segments)

    def first_round(self) -> None:
        """Look with nobody accused yet; these are the scores that a verdict shows."""
        bets = first_bets(self.biases, self.evidence.likelihoods)
        self.scores = self._look(bets, 0)

    def further_round(self, number: int) -> bool:
        """Look at all the evidence in the light of those accused; whether anybody was added."""
        known, words = len(self.accused), list(self._words().values())
        self._look(further_bets(self.biases, self.evidence.likelihoods, words), number)
        return len(self.accused) > known

    def unexplained(self, over: float) -> float:
        """Share of the evidence that the accused don't explain; 0 unless clearly above `over`."""
        shares, doubt = attribute(self.biases, self.evidence.likelihoods, self._words(), over)
        return 1 - sum(shares.values()) if doubt > _CLEARLY else 0.0

    def verdict(self) -> Verdict:
        """What is known by now."""
        shares, _ = attribute(self.biases, self.evidence.likelihoods, self._words(), _OTHERS)
        rest = 1 - sum(shares.values())
        others = bool(self.accused) and self.unexplained(_OTHERS) > 0
        surest = sorted(self.accused.items(), key=lambda item: item[1])
        return Verdict(
            accused=tuple(Accusation(tag, chance, shares[tag]) for tag, chance in surest),
            together=others or len(surest) > 1,
            unexplained=rest,
            outlook=None if surest else self._outlook(),
            bound=self.bound,
            threshold=self._needed(0) / np.log(2),
            scores=self.scores,
            tags=int(self.scores.sum()),
            symbols=len(self.evidence),
        )

    def _look(self, bets: Bets, number: int) -> NDArray[np.int64]:
        """Score all tags and accuse; how many tags scored what, one bit a bin."""
        counts, candidates = np.zeros_like(self.scores), list[str]()
        encoded = map(tag_bytes, self.tags())
        for block, scores in scan(self.code, self.evidence.segments, bets, encoded):
            bins = np.clip(np.rint(scores / np.log(2)), -SCORE_BITS, SCORE_BITS).astype(np.int64)
            counts += np.bincount(bins + SCORE_BITS, minlength=len(counts))
            self.best = max(self.best, float(scores.max())) if number == 0 else self.best
            near = np.flatnonzero(scores >= self._needed(number) - _SLACK)
            candidates += [block[index].decode() for index in near.tolist()]
        self.issued = max(self.issued, int(counts.sum()))
        self._decide(bets, candidates, self._needed(number))
        return counts

    def _decide(self, bets: Bets, candidates: list[str], needed: float) -> None:
        """Accuse whom the scan found, if double precision agrees."""
        for tag in candidates:
            score = bets.score(self.code.codeword(tag, self.evidence.segments))
            if score >= needed and tag not in self.accused:
                chance = self.bound * np.exp(needed - score)
                self.accused[tag] = max(float(chance), sys.float_info.min)

    def _needed(self, number: int) -> float:
        return needed_score(self.issued, self.bound, number)

    def _words(self) -> dict[str, Symbols]:
        return {tag: self.code.codeword(tag, self.evidence.segments) for tag in self.accused}

    def _outlook(self) -> Outlook | None:
        for leakers, odds in _ODDS.items():
            mean, deviation = expected(self.code, self.evidence, leakers)
            need = self._needed(0) + np.log(odds)
            if mean < _LEAST_RATE * max(len(self.evidence), 1):
                return None
            missing = factor_to_reach(need, mean, deviation**2) - 1
            # One of them would show but once in forty times less than two deviations below this.
            open_still = self.best >= mean - 2 * deviation - np.log(odds)
            if missing > 0 and open_still:
                return Outlook(int(np.ceil(missing * len(self.evidence))), leakers)
        return None


def factor_to_reach(need: float, mean: float, variance: float) -> float:
    """By what to multiply evidence so that its mean less two deviations is `need`.

    Solves f·mean - 2·sqrt(f·variance) = need for f > 0; all in nats.
    """
    root = (np.sqrt(variance) + np.sqrt(variance + mean * need)) / mean
    return float(root**2)
