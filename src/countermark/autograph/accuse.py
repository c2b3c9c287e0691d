"""From evidence and the issued tags to a verdict: who is accused, how surely, or what is missing.

The whole inquiry wrongly accuses anybody with a probability of at most its bound. Each round may
spend its part of the bound: nine tenths for the first, nine hundredths for the second, and so on.
Within a round any number of looks at growing evidence are free (see `score`). A later round may
condition on those accused before: unless an earlier round was wrong already, they are leakers,
their codewords belong to what made the leak, and an innocent's is independent of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.attribution import attribute
from countermark.autograph.code import Code, Symbols, tag_bytes
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
_CROWDS = (1, 2, 3, 5)
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
        outlook: with nobody accused, what more would do; None if no amount can be told: the leak
            carries no mark of this master, or its tag was not issued.
        bound: the greatest allowed chance of a wrong accusation.
        threshold: score needed in the first round, bits.
        scores: how many tags scored what in the last look, shape (129,), one bit a bin.
        tags: how many were scored.
        symbols: how many segments the last look used.
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
    """The bound for one of several inquiries into the same leak.

    Needed when evidence is computed anew, as after a better registration, instead of continued:
    bound / (look·(look + 1)) sums to the bound over all looks.

    Args:
        bound: for all looks together.
        look: 1 for the first.
    """
    return bound / (look * (look + 1))


def accuse(
    code: Code, evidence: Evidence, tags: Tags, issued: int, bound: float = DEFAULT_BOUND
) -> Verdict:
    """Score all issued tags and accuse those, and only those, whom chance does not explain.

    Calling again with evidence that continues the former (the former rows first, unchanged) needs
    no `spend` while nobody is accused; the choice of further segments may depend on everything
    seen before.

    Args:
        code: the master's code.
        evidence: see `countermark.autograph.evidence`.
        tags: gives all issued tags anew at each call, each once; at most four passes are made.
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
    scores: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(2 * SCORE_BITS + 1, np.int64)
    )
    used: int = 0

    def __post_init__(self) -> None:
        self.biases = self.code.biases(self.evidence.segments)

    def first_round(self) -> None:
        """Look at as much as one leaker would need, then, unless that settled it, at all."""
        bets = first_bets(self.biases, self.evidence.likelihoods)
        enough = self._enough_for_one(bets)
        if enough <= len(self.evidence) // 2 and self._look(bets, enough, 0):
            return
        self._look(bets, len(self.evidence), 0)

    def further_round(self, number: int) -> bool:
        """Look at all the evidence in the light of those accused; whether anybody was added."""
        words = list(self._words().values())
        return self._look(
            further_bets(self.biases, self.evidence.likelihoods, words), len(self.evidence), number
        )

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
            symbols=self.used,
        )

    def _look(self, bets: Bets, count: int, number: int) -> bool:
        """Score all tags on the first `count` segments; whether anybody was added."""
        seen, priced = self.evidence.first(count), Bets(bets.gains[:count], bets.weights)
        self.scores, self.used, candidates = _no_scores(), count, []
        for block, scores in scan(self.code, seen.segments, priced, map(tag_bytes, self.tags())):
            bins = np.clip(np.rint(scores / np.log(2)), -SCORE_BITS, SCORE_BITS).astype(np.int64)
            self.scores += np.bincount(bins + SCORE_BITS, minlength=2 * SCORE_BITS + 1)
            near = np.flatnonzero(scores >= self._needed(number) - _SLACK)
            candidates += [block[index].decode() for index in near.tolist()]
        self.issued = max(self.issued, int(self.scores.sum()))
        return self._decide(priced, seen, candidates, number)

    def _decide(self, bets: Bets, seen: Evidence, candidates: list[str], number: int) -> bool:
        known = len(self.accused)
        for tag in candidates:
            score = bets.score(self.code.codeword(tag, seen.segments))
            if score >= self._needed(number) and tag not in self.accused:
                self.accused[tag] = float(self.bound * np.exp(self._needed(number) - score))
        return len(self.accused) > known

    def _needed(self, number: int) -> float:
        """Score in nats that the round takes to accuse."""
        return float(np.log(self.issued / (self.bound * 0.9 * 0.1**number)))

    def _words(self) -> dict[str, Symbols]:
        return {tag: self.code.codeword(tag, self.evidence.segments) for tag in self.accused}

    def _enough_for_one(self, bets: Bets) -> int:
        """Segments after which one leaker should stand out, by three deviations."""
        mean, variance = (part[:, 0].cumsum() for part in bets.expected(self.biases))
        sure = mean - 3 * np.sqrt(variance) >= self._needed(0) - np.log(bets.weights[0])
        return int(sure.argmax()) + 1 if sure.any() else len(self.evidence)

    def _outlook(self) -> Outlook | None:
        for leakers in _CROWDS:
            bets = crowd_bets(self.biases, self.evidence.likelihoods, leakers)
            mean, variance = (float(part.sum()) for part in bets.expected(self.biases))
            need = self._needed(0) + np.log(12 if leakers > 1 else 2)
            if mean < _LEAST_RATE * max(len(self.evidence), 1):
                return None
            missing = factor_to_reach(need, mean, variance) - 1
            if missing > 0:
                return Outlook(int(np.ceil(missing * len(self.evidence))), leakers)
        return None


def factor_to_reach(need: float, mean: float, variance: float) -> float:
    """By what to multiply evidence so that its mean less two deviations is `need`.

    Solves f·mean - 2·sqrt(f·variance) = need for f > 0; all in nats.
    """
    root = (np.sqrt(variance) + np.sqrt(variance + mean * need)) / mean
    return float(root**2)


def _no_scores() -> NDArray[np.int64]:
    return np.zeros(2 * SCORE_BITS + 1, np.int64)
