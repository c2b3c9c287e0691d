"""Any few segments of a codeword equal the same segments of the whole."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.autograph.code import Code
from countermark.autograph.derivation import CHUNK_SEGMENTS, MAX_TAG_BYTES

WHOLE = np.arange(3 * CHUNK_SEGMENTS)
places = st.lists(st.integers(0, len(WHOLE) - 1), max_size=30)
tags = st.text(min_size=1).filter(
    lambda tag: (
        len(tag.encode(errors="surrogatepass")) <= MAX_TAG_BYTES
        and not any("\ud800" <= character <= "\udfff" for character in tag)
    )
)


@settings(deadline=None)  # other work shares the cores
@given(places=places, tag=tags, variants=st.sampled_from([2, 4, 8]))
def test_random_access_equals_the_whole_codeword(
    places: list[int], tag: str, variants: int
) -> None:
    code, few = Code(bytes(32), "master", variants), np.array(places, np.int64)
    assert (code.codeword(tag, few) == code.codeword(tag, WHOLE)[few]).all()
    assert (code.biases(few) == code.biases(WHOLE)[few]).all()


@settings(deadline=None)  # other work shares the cores
@given(places=places, variants=st.sampled_from([2, 4, 8]))
def test_biases_are_at_least_one_sixteenth_and_sum_to_one(places: list[int], variants: int) -> None:
    biases = Code(bytes(32), "master", variants).biases(np.array(places, np.int64))
    assert (biases >= 1).all()
    assert (biases.sum(axis=1) == 16).all()
