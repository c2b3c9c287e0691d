"""What the bound on wrong accusations rests on: no evidence makes a bet on an innocent unfair."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from countermark.autograph.code import Code
from countermark.autograph.evidence import Evidence, from_log_likelihoods
from countermark.autograph.scan import scan
from countermark.autograph.score import first_bets, further_bets

nats = st.one_of(st.floats(-50, 0), st.just(-math.inf), st.floats(-1e300, 1e300))


@st.composite
def leaks(draw: st.DrawFn) -> tuple[Code, Evidence]:
    variants = draw(st.sampled_from([2, 4, 8]))
    numbers = draw(st.lists(st.integers(0, 5000), min_size=1, max_size=12))
    logs = draw(arrays(np.float64, (len(numbers), variants), elements=nats))
    code = Code(bytes(32), draw(st.text(max_size=5, alphabet="abc")), variants)
    return code, from_log_likelihoods(np.array(numbers), logs)


@settings(deadline=None, max_examples=60)  # other work shares the cores
@given(leaks())
def test_every_factor_has_mean_one_over_an_innocents_symbols(leak: tuple[Code, Evidence]) -> None:
    code, evidence = leak
    biases = code.biases(evidence.segments)
    words = [code.codeword("accused", evidence.segments)]
    for bets in (
        first_bets(biases, evidence.likelihoods),
        further_bets(biases, evidence.likelihoods, words),
    ):
        means = (biases[:, :, None] / 16 * np.exp(bets.gains)).sum(axis=1)
        assert np.abs(means - 1).max() < 1e-12
        assert np.isfinite(bets.gains).all()


@settings(deadline=None, max_examples=60)  # other work shares the cores
@given(leaks(), st.lists(st.text("xyzäß", min_size=1, max_size=6), min_size=1, max_size=5))
def test_scanned_scores_equal_slow_sums_for_any_evidence(
    leak: tuple[Code, Evidence], tags: list[str]
) -> None:
    code, evidence = leak
    bets = first_bets(code.biases(evidence.segments), evidence.likelihoods)
    (_, scores), *_ = scan(code, evidence.segments, bets, [tag.encode() for tag in tags])
    for tag, score in zip(tags, scores, strict=True):
        word = code.codeword(tag, evidence.segments)
        logs = [
            sum(bets.gains[row, symbol, model] for row, symbol in enumerate(word))
            for model in range(len(bets.weights))
        ]
        slow = math.log(sum(w * math.exp(g) for w, g in zip(bets.weights, logs, strict=True)))
        assert abs(score - slow) < 1e-3


@settings(deadline=None, max_examples=60)  # other work shares the cores
@given(leaks())
def test_segments_seen_again_are_joined_and_rows_keep_their_best_at_one(
    leak: tuple[Code, Evidence],
) -> None:
    _, evidence = leak
    assert len(set(evidence.segments.tolist())) == len(evidence)
    assert (evidence.likelihoods.max(axis=1) == 1).all()
    assert evidence.likelihoods.min() >= math.exp(-30) * 0.999
