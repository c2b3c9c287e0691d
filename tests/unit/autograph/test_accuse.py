"""Verdicts: leakers are named, innocents never, and the stated probability holds."""

from collections.abc import Callable

import numpy as np
import pytest

from countermark.autograph.accuse import (
    Verdict,
    accuse,
    expected,
    factor_to_reach,
    spend,
    sufficient,
)
from countermark.autograph.attribution import attribute
from countermark.autograph.code import Code
from countermark.autograph.evidence import (
    Evidence,
    EvidenceError,
    from_correlations,
    from_log_likelihoods,
    from_symbols,
)
from countermark.autograph.score import crowd_bets, first_bets, further_bets, mixed

ISSUED = [f"recipient {number}" for number in range(500)]
Forger = Callable[[Code, np.ndarray], np.ndarray]


def a_code(variants: int = 2, master: str = "master") -> Code:
    return Code(bytes(range(32)), master, variants)


def mix(code: Code, segments: np.ndarray, leakers: list[str], wrong: float = 0.0) -> Evidence:
    random = np.random.default_rng(len(segments))
    words = np.stack([code.codeword(leaker, segments) for leaker in leakers])
    shown = words[random.integers(0, len(words), len(segments)), np.arange(len(segments))]
    other = (shown + random.integers(1, code.variants, len(segments))) % code.variants
    shown = np.where(random.random(len(segments)) < wrong, other, shown)
    return from_symbols(segments, shown, code.variants)


def trace(code: Code, evidence: Evidence, issued: list[str] = ISSUED) -> Verdict:
    return accuse(code, evidence, lambda: issued, len(issued))


def names(verdict: Verdict) -> list[str]:
    return [accusation.tag for accusation in verdict.accused]


@pytest.mark.parametrize("variants", [2, 4, 8])
def test_one_leaker_is_named_from_any_minute(variants: int) -> None:
    code = a_code(variants)
    for start in (0, 700, 1320, 5000):
        verdict = trace(code, mix(code, np.arange(start, start + 60), ["recipient 7"]))
        assert names(verdict) == ["recipient 7"]
        assert verdict.accused[0].probability <= 1e-6
        assert verdict.accused[0].share > 0.9
        assert not verdict.together
        assert verdict.outlook is None


def test_wrong_symbols_and_erasures_only_cost_length() -> None:
    code, segments = a_code(), np.arange(200)
    evidence = mix(code, segments, ["recipient 3"], wrong=0.1)
    evidence.likelihoods[::3] = 1
    assert names(trace(code, evidence)) == ["recipient 3"]


def test_two_leakers_who_mix_segments_are_both_named_and_said_to_act_together() -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(600), ["recipient 1", "recipient 2"], 0.01))
    assert sorted(names(verdict)) == ["recipient 1", "recipient 2"]
    assert verdict.together
    assert sum(accusation.share for accusation in verdict.accused) > 0.85


def test_two_leakers_who_average_pixels_are_named() -> None:
    code, segments, random = a_code(), np.arange(300), np.random.default_rng(1)
    words = np.stack([code.codeword(tag, segments) for tag in ISSUED[:2]])
    shade = (1 - 2 * words.astype(float)).mean(axis=0) + random.normal(0, 0.3, 300)
    evidence = from_correlations(segments, np.stack((shade, -shade), 1), np.full(300, 0.3))
    verdict = trace(code, evidence)
    assert set(names(verdict)) == set(ISSUED[:2])


def test_a_second_leaker_of_a_small_part_is_found_beside_the_first() -> None:
    code, segments = a_code(4), np.arange(900)
    first, second = (code.codeword(tag, segments) for tag in ISSUED[:2])
    shown = np.where(np.arange(900) % 5 == 0, second, first)
    verdict = trace(code, from_symbols(segments, shown, 4))
    assert names(verdict) == ISSUED[:2]
    assert verdict.accused[0].share == pytest.approx(0.8, abs=0.06)


def test_further_bets_speak_louder_for_the_second_leaker_than_first_bets() -> None:
    code, segments = a_code(4), np.arange(600)
    first, second = (code.codeword(tag, segments) for tag in ISSUED[:2])
    shown = np.where(np.arange(600) % 6 == 0, second, first)
    biases = code.biases(segments)
    likelihoods = from_symbols(segments, shown, 4).likelihoods
    alone = first_bets(biases, likelihoods).score(second)
    assert further_bets(biases, likelihoods, [first]).score(second) > alone + 5


def test_a_partner_who_was_never_issued_leaves_a_part_unexplained() -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(900), ["recipient 1", "unissued"]))
    assert names(verdict) == ["recipient 1"]
    assert verdict.together
    assert verdict.unexplained == pytest.approx(0.5, abs=0.15)


def test_wrong_symbols_of_one_leaker_do_not_look_like_a_second() -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(900), ["recipient 1"], wrong=0.08))
    assert names(verdict) == ["recipient 1"]
    assert not verdict.together


def test_too_short_a_leak_accuses_nobody_and_the_outlook_then_suffices() -> None:
    code, leaker = a_code(), "recipient 9"
    verdict = trace(code, mix(code, np.arange(15), [leaker]))
    assert not verdict.accused
    assert verdict.outlook is not None
    assert verdict.outlook.leakers == 1
    assert 10 < verdict.outlook.symbols < 60
    longer = mix(code, np.arange(15 + verdict.outlook.symbols), [leaker])
    assert names(trace(code, longer)) == [leaker]


def test_enough_for_one_leaker_but_not_for_two_says_how_much_two_would_need() -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(110), ["recipient 1", "recipient 2"]))
    assert not verdict.accused
    assert verdict.outlook is not None
    assert verdict.outlook.leakers == 2
    assert 30 < verdict.outlook.symbols < 600


@pytest.mark.parametrize("count", [60, 110, 900])
def test_a_tag_that_was_not_issued_is_promised_nothing_as_a_single_leaker(count: int) -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(count), ["nobody"]))
    assert not verdict.accused
    assert verdict.outlook is None or verdict.outlook.leakers > 1


def test_much_of_a_copy_that_was_not_issued_promises_nothing() -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(3000), ["nobody"]))
    assert (verdict.accused, verdict.outlook) == ((), None)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_erasures_alone_accuse_nobody_and_promise_nothing(count: int) -> None:
    evidence = from_log_likelihoods(np.arange(count), np.zeros((count, 2)))
    verdict = trace(a_code(), evidence)
    assert not verdict.accused
    assert not verdict.together
    assert verdict.outlook is None


def test_without_issued_tags_nobody_is_accused() -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(100), ["anyone"]), issued=[])
    assert (verdict.accused, verdict.tags) == ((), 0)


@pytest.mark.parametrize("variants", [2, 4, 8])
def test_a_leaker_scores_what_is_expected_or_a_little_more(variants: int) -> None:
    segments, gaps, random = np.arange(80), [], np.random.default_rng(1)
    for master in map(str, range(60)):
        code = a_code(variants, master)
        seen = np.eye(variants)[code.codeword("anna", segments)]
        seen += random.normal(0, 0.6, seen.shape)
        evidence = from_log_likelihoods(segments, seen / 0.6**2)
        bets = crowd_bets(code.biases(segments), evidence.likelihoods, 1)
        mean, deviation = expected(code, evidence)
        gaps.append((bets.score(code.codeword("anna", segments)) - mean) / deviation)
    # More, as any model lets a few symbols be wrong, and here none is but by its noise.
    assert 0 < np.mean(gaps) < 1.5
    assert np.std(gaps) < 1.5


@pytest.mark.parametrize("variants", [2, 4, 8])
def test_sufficient_evidence_names_one_leaker(variants: int) -> None:
    for master in map(str, range(20)):
        code, count = a_code(variants, master), 1
        while True:
            evidence = mix(code, np.arange(count), ["recipient 5"])
            mean, deviation = expected(code, evidence)
            if mean - 2 * deviation >= sufficient(len(ISSUED)):
                break
            count += 1
        assert count < 100
        assert names(trace(code, evidence)) == ["recipient 5"]


def test_the_verdict_tells_how_tags_scored() -> None:
    code = a_code()
    verdict = trace(code, mix(code, np.arange(60), ["recipient 7"]))
    assert verdict.scores.sum() == verdict.tags == len(ISSUED)
    assert verdict.threshold == pytest.approx(np.log2(500 / 0.9e-6))
    assert verdict.scores[64 + int(verdict.threshold) :].sum() == 1


def test_no_probability_is_said_to_be_nothing() -> None:
    code = a_code(8)
    verdict = trace(code, mix(code, np.arange(2000), ["recipient 7"]))
    assert verdict.accused[0].probability > 0


def test_more_tags_than_were_announced_raise_the_threshold() -> None:
    code = a_code()
    evidence = mix(code, np.arange(60), ["recipient 7"])
    announced = accuse(code, evidence, lambda: ISSUED, 1)
    assert announced.threshold == trace(code, evidence).threshold


def test_evidence_of_other_variants_is_refused() -> None:
    with pytest.raises(EvidenceError):
        trace(a_code(4), from_symbols(np.arange(3), np.zeros(3, np.int64), 2))


def test_looks_spend_no_more_than_the_bound() -> None:
    assert sum(spend(1e-6, look) for look in range(1, 100)) <= 1e-6
    assert spend(1e-6, 1) == 5e-7


def test_evidence_grows_to_its_need_by_the_factor_told() -> None:
    factor = factor_to_reach(30.0, 10.0, 4.0)
    assert factor * 10 - 2 * np.sqrt(factor * 4) == pytest.approx(30)


def test_shares_tell_who_carries_how_much() -> None:
    code, segments = a_code(), np.arange(3000)
    words = {tag: code.codeword(tag, segments) for tag in ISSUED[:2]}
    shown = np.where(np.arange(3000) % 4 == 0, words[ISSUED[0]], words[ISSUED[1]])
    likelihoods = from_symbols(segments, shown, 2).likelihoods
    shares, doubt = attribute(code.biases(segments), likelihoods, words, 0.15)
    assert shares == pytest.approx({ISSUED[0]: 0.25, ISSUED[1]: 0.75}, abs=0.04)
    assert doubt == 0


FORGERIES: dict[str, Forger] = {
    "constant": lambda _, segments: np.zeros(len(segments), np.int64),
    "alternating": lambda code, segments: segments % code.variants,
    "likeliest": lambda code, segments: code.biases(segments).argmax(axis=1),
    "rarest": lambda code, segments: code.biases(segments).argmin(axis=1),
    "another's": lambda code, segments: code.codeword("unissued", segments).astype(np.int64),
    "another film's": lambda code, segments: (
        a_code(code.variants, "other").codeword("recipient 1", segments).astype(np.int64)
    ),
    "three mixed": lambda code, segments: mix(code, segments, ["a", "b", "c"]).likelihoods.argmax(
        axis=1
    ),
}


@pytest.mark.parametrize("variants", [2, 4, 8])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forgery_makes_innocents_score_over_the_stated_probability(
    variants: int, forgery: str
) -> None:
    """At every length: the greatest gain ever seen is what Ville's inequality bounds."""
    code, segments, innocents = a_code(variants), np.arange(150), 1500
    shown = FORGERIES[forgery](code, segments)
    biases = code.biases(segments)
    bets = first_bets(biases, from_symbols(segments, shown, variants).likelihoods)
    greatest = np.array(
        [
            mixed(bets.gains[segments, word].cumsum(axis=0), bets.weights).max()
            for word in (code.codeword(f"innocent {n}", segments) for n in range(innocents))
        ]
    )
    for probability in (0.2, 0.05, 0.01):
        allowed = innocents * probability
        over = (greatest >= -np.log(probability)).sum()
        assert over <= allowed + 4 * np.sqrt(allowed)


@pytest.mark.parametrize("variants", [2, 4, 8])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forgery_accuses_anybody(variants: int, forgery: str) -> None:
    code, segments = a_code(variants), np.arange(2000)
    shown = FORGERIES[forgery](code, segments)
    assert not trace(code, from_symbols(segments, shown, variants)).accused


def test_whole_inquiries_accuse_innocents_no_more_often_than_their_bound() -> None:
    """All rounds together, at a bound loose enough to see; one guilty tag feeds later rounds."""
    trials, bound, wrong = 400, 0.3, 0
    for trial in range(trials):
        code, segments = a_code(2, f"master {trial}"), np.arange(60)
        evidence = mix(code, segments, ["guilty", "unissued"])
        issued = ["guilty", *(str(number) for number in range(20))]
        verdict = accuse(code, evidence, lambda issued=issued: issued, len(issued), bound)
        wrong += any(name != "guilty" for name in names(verdict))
    assert wrong <= trials * bound


def test_a_film_that_only_loops_counts_each_segment_once() -> None:
    """An innocent whose few symbols happen to fit gains nothing by their repetition."""
    code, segments = a_code(), np.arange(5)
    word = code.codeword("recipient 4", segments)
    logs = np.where(word[:, None] == np.arange(2), 0.0, -5.0)
    looped = from_log_likelihoods(np.tile(segments, 100), np.tile(logs, (100, 1)))
    assert len(looped) == 5
    assert not trace(code, looped).accused
