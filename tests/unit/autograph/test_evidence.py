"""Likelihoods from what the video side measures."""

import numpy as np
import pytest

from countermark.autograph.evidence import (
    Evidence,
    EvidenceError,
    from_correlations,
    from_log_likelihoods,
    from_symbols,
)


def corners(variants: int) -> np.ndarray:
    others = 1 / (variants - 1)
    return np.eye(variants) * (1 + others) - others


def test_decided_symbols_are_far_likelier_than_others_and_erasures_say_nothing() -> None:
    evidence = from_symbols(np.arange(3), np.array([2, 0, -1]), 4)
    assert evidence.likelihoods.argmax(axis=1).tolist()[:2] == [2, 0]
    assert (np.sort(evidence.likelihoods[:2], axis=1)[:, 2] < 1e-12).all()
    assert (evidence.likelihoods[2] == 1).all()
    assert (len(evidence), evidence.variants) == (3, 4)


@pytest.mark.parametrize("symbol", [-2, 4])
def test_symbols_that_no_variant_has_are_refused(symbol: int) -> None:
    with pytest.raises(EvidenceError):
        from_symbols(np.arange(1), np.array([symbol]), 4)


def test_a_segment_seen_twice_becomes_one_with_both_sightings() -> None:
    logs = np.log(np.array([[0.5, 1.0], [1.0, 0.1], [0.5, 1.0]]))
    evidence = from_log_likelihoods(np.array([9, 4, 9]), logs)
    assert evidence.segments.tolist() == [9, 4]
    assert evidence.likelihoods == pytest.approx(np.array([[0.25, 1.0], [1.0, 0.1]]))


def test_evidence_cannot_hold_a_segment_twice() -> None:
    with pytest.raises(EvidenceError, match="twice"):
        Evidence(np.array([1, 1]), np.ones((2, 2)))


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_evidence_holds_only_likelihoods_above_zero(value: float) -> None:
    with pytest.raises(EvidenceError):
        Evidence(np.array([1]), np.array([[1.0, value]]))


@pytest.mark.parametrize("row", [[np.nan, 0.0], [np.inf, 0.0]])
def test_half_missing_and_infinite_likelihoods_are_refused(row: list[float]) -> None:
    with pytest.raises(EvidenceError):
        from_log_likelihoods(np.arange(1), np.array([row]))


@pytest.mark.parametrize("row", [[np.nan] * 2, [-np.inf] * 2, [-1e300] * 2, [0.0, 0.0]])
def test_rows_that_prefer_nothing_are_erasures(row: list[float]) -> None:
    evidence = from_log_likelihoods(np.arange(1), np.array([row]))
    assert (evidence.likelihoods == 1).all()


@pytest.mark.parametrize("row", [[-np.inf, 0.0], [-1e300, 0.0], [-31.0, 0.0]])
def test_certainty_ends_at_thirty_nats(row: list[float]) -> None:
    evidence = from_log_likelihoods(np.arange(1), np.array([row]))
    assert evidence.likelihoods[0] == pytest.approx([np.exp(-30), 1])


@pytest.mark.parametrize("shape", [(2,), (2, 2), (3, 2, 1)])
def test_arrays_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(EvidenceError):
        from_log_likelihoods(np.arange(3), np.zeros(shape))
    with pytest.raises(EvidenceError):
        from_correlations(np.arange(3), np.zeros(shape), np.ones(3))


@pytest.mark.parametrize("variants", [2, 4, 8])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 300.0])
def test_clear_correlations_tell_the_variant_in_any_unit(variants: int, unit: float) -> None:
    random = np.random.default_rng(variants)
    symbols = random.integers(0, variants, 200)
    seen = corners(variants)[symbols] + random.normal(0, 0.1, (200, variants))
    evidence = from_correlations(np.arange(200), seen * unit, np.full(200, 0.1 * unit))
    assert (evidence.likelihoods.argmax(axis=1) == symbols).all()
    assert np.median(np.sort(evidence.likelihoods, axis=1)[:, -2]) < 0.05


def test_noise_above_the_mark_leaves_little_to_say() -> None:
    random = np.random.default_rng(7)
    seen = np.outer(random.normal(0, 1, 300), [1, -1])
    evidence = from_correlations(np.arange(300), seen, np.ones(300))
    assert np.median(evidence.likelihoods.min(axis=1)) > 0.5


def test_the_mean_of_two_variants_is_unclear_and_equal_ones_stay_clear() -> None:
    shades = np.array([[1.0, -1.0], [0.1, -0.1], [-1.0, 1.0], [-0.1, 0.1]] * 20)
    evidence = from_correlations(np.arange(80), shades, np.full(80, 0.1))
    least = evidence.likelihoods.min(axis=1).reshape(20, 4)
    assert (least[:, [0, 2]] < 0.1).all()
    assert (least[:, [1, 3]] > 0.5).all()


def test_weak_segments_in_a_strong_leak_still_lean_the_right_way() -> None:
    seen = np.array([[1.0, -1.0]] * 20 + [[0.6, -0.6]])
    evidence = from_correlations(np.arange(21), seen, np.full(21, 0.05))
    assert evidence.likelihoods[20].argmax() == 0
    assert evidence.likelihoods[20, 1] < 0.1


def test_an_average_of_two_of_four_variants_leans_to_both() -> None:
    shade = (corners(4)[1] + corners(4)[3]) / 2
    seen = np.concatenate((corners(4).repeat(5, axis=0), [shade]))
    evidence = from_correlations(np.arange(21), seen, np.full(21, 0.1))
    assert evidence.likelihoods[20, [1, 3]] == pytest.approx([1, 1])
    assert (evidence.likelihoods[20, [0, 2]] < 0.1).all()


@pytest.mark.parametrize("value", [50.0, 1e90, 1e300, np.inf])
def test_one_burst_leaves_the_other_segments_clear(value: float) -> None:
    seen = np.array([[1.0, -1.0]] * 20 + [[value, -value]])
    evidence = from_correlations(np.arange(21), seen, np.full(21, 0.1))
    assert (evidence.likelihoods[:20, 1] < 0.05).all()


def test_a_segment_that_claims_no_noise_does_not_set_the_scale() -> None:
    seen = np.array([[1.0, -1.0]] * 20 + [[0.001, -0.001]])
    noise = np.array([0.1] * 20 + [1e-9])
    evidence = from_correlations(np.arange(21), seen, noise)
    assert (evidence.likelihoods[:20, 1] < 0.05).all()


def test_missing_correlations_are_erasures() -> None:
    seen = np.array([[1.0, -1.0], [np.nan, np.nan], [1.0, -1.0]])
    evidence = from_correlations(np.arange(3), seen, np.array([0.1, 0.1, np.nan]))
    assert (evidence.likelihoods[1:] == 1).all()
    assert evidence.likelihoods[0, 1] < 0.1


def test_noise_of_zero_is_refused() -> None:
    with pytest.raises(EvidenceError, match="above zero"):
        from_correlations(np.arange(1), np.zeros((1, 2)), np.zeros(1))


def test_no_segments_make_empty_evidence() -> None:
    evidence = from_correlations(np.arange(0), np.zeros((0, 4)), np.zeros(0))
    assert (len(evidence), evidence.variants) == (0, 4)
