"""Scores against slow ones that enumerate and loop."""

import itertools
import math

import numpy as np
import pytest

from countermark.autograph.code import Code
from countermark.autograph.derivation import CHUNK_SEGMENTS
from countermark.autograph.scan import scan
from countermark.autograph.score import (
    crowd_bets,
    first_bets,
    further_bets,
    interleaving,
    minority,
    mixed,
)

CODES = [Code(bytes(range(32)), "score", variants) for variants in (2, 4, 8)]


def some_likelihoods(count: int, variants: int, seed: int = 0) -> np.ndarray:
    likelihoods = np.exp(-30 * np.random.default_rng(seed).random((count, variants)) ** 2)
    return likelihoods / likelihoods.max(axis=1, keepdims=True)


def slow_transition(
    biases: np.ndarray, leakers: int, attack: str, known: tuple[int, ...] = ()
) -> np.ndarray:
    """T(x, y) of one segment by enumerating what the unknown others hold."""
    variants, strangers = len(biases), leakers - 1 - len(known)
    model = np.zeros((variants, variants))
    for held in range(variants):
        for others in itertools.product(range(variants), repeat=strangers):
            chance = math.prod(biases[other] / 16 for other in others)
            team = [held, *known, *others]
            for shown in slow_choice(team, attack):
                model[held, shown[0]] += chance * shown[1]
    return model


def slow_choice(team: list[int], attack: str) -> list[tuple[int, float]]:
    if attack == "interleaving":
        return [(symbol, 1 / len(team)) for symbol in team]
    fewest = min(team.count(symbol) for symbol in team)
    rare = sorted({symbol for symbol in team if team.count(symbol) == fewest})
    return [(symbol, 1 / len(rare)) for symbol in rare]


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"K={code.variants}")
@pytest.mark.parametrize("leakers", [1, 2, 3])
def test_models_equal_an_enumeration_of_all_teams(code: Code, leakers: int) -> None:
    biases = code.biases(np.arange(4))
    for model, attack in ((interleaving, "interleaving"), (minority, "minority")):
        slow = [slow_transition(row, leakers, attack) for row in biases]
        assert model(biases, leakers) == pytest.approx(np.array(slow))


def test_known_leakers_take_their_places_in_the_model() -> None:
    biases = CODES[1].biases(np.arange(3))
    known = [np.array([0, 1, 2], np.uint8), np.array([3, 1, 0], np.uint8)]
    slow = [
        slow_transition(row, 4, "interleaving", (int(known[0][i]), int(known[1][i])))
        for i, row in enumerate(biases)
    ]
    assert interleaving(biases, 4, known) == pytest.approx(np.array(slow))


def test_minority_of_five_equals_an_enumeration() -> None:
    biases = CODES[0].biases(np.arange(5))
    slow = [slow_transition(row, 5, "minority") for row in biases]
    assert minority(biases, 5) == pytest.approx(np.array(slow))


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"K={code.variants}")
def test_an_innocent_gains_nothing_on_average_in_any_segment(code: Code) -> None:
    biases = code.biases(np.arange(50))
    likelihoods = some_likelihoods(50, code.variants)
    accused = [code.codeword("first", np.arange(50)), code.codeword("second", np.arange(50))]
    for bets in (
        first_bets(biases, likelihoods),
        further_bets(biases, likelihoods, accused[:1]),
        further_bets(biases, likelihoods, accused),
        crowd_bets(biases, likelihoods, 3),
    ):
        means = (biases[:, :, None] / 16 * np.exp(bets.gains)).sum(axis=1)
        assert means == pytest.approx(np.ones_like(means), abs=1e-12)
        assert bets.weights.sum() == pytest.approx(1)
        assert (bets.weights > 0).all()


def test_score_of_one_leaker_is_the_product_of_likelihood_ratios() -> None:
    code, segments = CODES[0], np.arange(30)
    biases, likelihoods = code.biases(segments), some_likelihoods(30, 2)
    word = code.codeword("tag", segments)
    slow = 0.0
    for p, fit, symbol in zip(biases / 16, likelihoods, word, strict=True):
        fair = p[0] * fit[0] + p[1] * fit[1]
        slow += math.log(0.95 * fit[symbol] / fair + 0.05)
    assert crowd_bets(biases, likelihoods, 1).score(word) == pytest.approx(slow)


def test_erased_segments_change_no_score() -> None:
    code, segments = CODES[1], np.arange(40)
    likelihoods = some_likelihoods(40, 4)
    likelihoods[::2] = 1
    word = code.codeword("tag", segments)
    whole = first_bets(code.biases(segments), likelihoods).score(word)
    rest = first_bets(code.biases(segments[1::2]), likelihoods[1::2]).score(word[1::2])
    assert whole == pytest.approx(rest)


def test_one_wrong_symbol_costs_a_leaker_no_more_than_a_factor_of_twenty() -> None:
    code, segments = CODES[0], np.arange(30)
    word = code.codeword("tag", segments)
    likelihoods = np.where(word[:, None] == np.arange(2), 1.0, 1e-13)
    for bets in (
        first_bets(code.biases(segments), likelihoods),
        further_bets(code.biases(segments), likelihoods, [word]),
    ):
        assert bets.gains.min() >= math.log(0.05) - 1e-9


def test_expected_gain_is_the_mean_over_a_leakers_likely_symbols() -> None:
    biases, likelihoods = CODES[1].biases(np.arange(5)), some_likelihoods(5, 4)
    bets = crowd_bets(biases, likelihoods, 2)
    mean, variance = bets.expected(biases)
    posterior = biases / 16 * np.exp(bets.gains[:, :, 0])
    assert posterior.sum(axis=1) == pytest.approx(np.ones(5))
    slow = [np.average(bets.gains[i, :, 0], weights=posterior[i]) for i in range(5)]
    assert mean[:, 0] == pytest.approx(np.array(slow))
    assert (variance >= -1e-12).all()


def test_mixed_scores_survive_gains_beyond_a_doubles_range() -> None:
    sums = np.array([[5000.0, -5000.0], [-5000.0, -5000.0]])
    assert mixed(sums, np.array([0.5, 0.5])) == pytest.approx([5000 - math.log(2), -5000])


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"K={code.variants}")
def test_scanned_scores_equal_those_of_whole_codewords(code: Code) -> None:
    random = np.random.default_rng(code.variants)
    segments = random.choice(3 * CHUNK_SEGMENTS, 301, replace=False)
    bets = first_bets(code.biases(segments), some_likelihoods(301, code.variants))
    tags = [f"tag {number}" for number in range(50)]
    scanned = np.concatenate(
        [found for _, found in scan(code, segments, bets, [tag.encode() for tag in tags])]
    )
    slow = [bets.score(code.codeword(tag, segments)) for tag in tags]
    assert scanned == pytest.approx(np.array(slow), abs=1e-3)


def test_scanning_a_two_hour_film_errs_by_far_less_than_the_slack() -> None:
    code, segments = CODES[2], np.arange(7200)
    word = code.codeword("leaker", segments)
    likelihoods = np.where(word[:, None] == np.arange(8), 1.0, 1e-13)
    bets = first_bets(code.biases(segments), likelihoods)
    tags = [b"leaker", *(str(number).encode() for number in range(20))]
    (_, scanned), *_ = scan(code, segments, bets, tags)
    slow = [bets.score(code.codeword(tag.decode(), segments)) for tag in tags]
    assert np.abs(scanned - slow).max() < 0.1


def test_tags_are_scanned_in_blocks_in_their_order() -> None:
    code, segments = CODES[0], np.arange(10)
    bets = first_bets(code.biases(segments), some_likelihoods(10, 2))
    tags = [str(number).encode() for number in range(9000)]
    blocks = [list(block) for block, _ in scan(code, segments, bets, iter(tags))]
    assert max(map(len, blocks)) <= 4096
    assert list(itertools.chain(*blocks)) == tags


def test_no_evidence_scores_every_tag_zero() -> None:
    code, segments = CODES[0], np.arange(0)
    bets = first_bets(code.biases(segments), np.ones((0, 2)))
    (_, scores), *_ = scan(code, segments, bets, [b"a", b"b"])
    assert scores == pytest.approx([0, 0])
