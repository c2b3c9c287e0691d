"""Splices against the slow way: join the whole copy segment by segment, then take the slice."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.autograph.code import Code
from countermark.autograph.derivation import CHUNK_SEGMENTS
from countermark.autograph.index import SpliceIndex
from countermark.autograph.splice import Copy
from support.masters import coded_index, master_blob, random_index

KEY = bytes(range(32))
variants = st.sampled_from([2, 4, 8])
seeds = st.integers(0, 1 << 32)
tags = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


def naive(index: SpliceIndex, blob: bytes, symbols: list[int]) -> bytes:
    whole = [blob[variant * index.size :][: index.size] for variant in range(index.variants)]
    joined = whole[0][: index.starts[0]]
    for segment, symbol in enumerate(symbols):
        end = index.starts[segment + 1] if segment + 1 < len(index) else index.size
        joined += whole[symbol][index.starts[segment] : end]
    return joined


@settings(deadline=None)  # other work shares the cores
@given(
    seed=seeds,
    variants=variants,
    tag=tags,
    header=st.sampled_from([0, 1, 40]),
    count=st.integers(1, 40),
    data=st.data(),
)
def test_any_range_is_the_slice_of_the_whole_copy(
    seed: int, variants: int, tag: str, header: int, count: int, data: st.DataObject
) -> None:
    index = random_index(seed, variants=variants, segments=count, header=header, longest=9)
    copy, blob = Copy(index, KEY, tag), master_blob(index, seed)
    whole = naive(index, blob, list(copy.symbols(0, count)))
    start = data.draw(st.integers(0, index.size))
    stop = data.draw(st.integers(start, index.size))
    spans = list(copy.spans(start, stop))
    assert b"".join(blob[one:other] for one, other in spans) == whole[start:stop]
    assert all(one < other for one, other in spans)
    assert all(before[1] != after[0] for before, after in pairwise(spans))
    assert all(one // index.size == (other - 1) // index.size for one, other in spans)


@settings(deadline=None, max_examples=30)
@given(variants=variants, tag=tags, data=st.data())
def test_symbols_are_those_of_the_code(variants: int, tag: str, data: st.DataObject) -> None:
    length = 2 * CHUNK_SEGMENTS + 10
    index = coded_index(KEY, variants, length)
    copy = Copy(index, KEY, tag)
    word = Code(KEY, index.master, variants).codeword(tag, np.arange(length))
    for _ in range(5):
        first = data.draw(st.integers(0, length))
        last = data.draw(st.integers(first, length))
        assert list(copy.symbols(first, last)) == word[first:last].tolist()
