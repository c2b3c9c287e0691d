"""The report's charts, as inline SVG: no script, no font, nothing from elsewhere.

Colours are classes of the page's style, so that a chart follows its light and dark looks.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from countermark.autograph.report import Scores, SegmentEvidence

WIDTH, HEIGHT = 960, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 30
_ROOM_X, _ROOM_Y = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
# Nats at which a segment counts as certain: no evidence of one is stronger by much.
_CERTAIN = 5.0
_LEAST_BAR = 1.5
_LEVEL_OF_ONE = 0.3
_TICKS = 8


def evidence_chart(segments: Sequence[SegmentEvidence], symbols: Sequence[int] | None) -> str:
    """A bar for each segment, as high as the evidence there is sure of a variant.

    Args:
        segments: in the master's order, at least one.
        symbols: the variants of an accused copy, one a segment: bars that agree with it stand up,
            others hang down; without any, all stand up.
    """
    first, last = segments[0].master_time, segments[-1].master_time
    step = _ROOM_X / max(last - first + _typical_step(segments), 1e-9)
    width = max(min(_typical_step(segments) * step * 0.8, 14.0), 0.6)
    middle = _TOP + _ROOM_Y * (1.0 if symbols is None else 0.62)
    up, down = middle - _TOP, _TOP + _ROOM_Y - middle
    bars: dict[str, list[str]] = {"agrees": [], "differs": [], "unclear": []}
    for number, segment in enumerate(segments):
        symbol = None if symbols is None else symbols[number]
        kind, share = _weighed(segment.likelihoods, symbol)
        height = max(share * (down if kind == "differs" else up), _LEAST_BAR)
        x = _LEFT + (segment.master_time - first) * step
        y = middle if kind == "differs" else middle - height
        bars[kind].append(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z")
    paths = "".join(f'<path class="{kind}" d="{"".join(d)}"/>' for kind, d in bars.items() if d)
    axis = f'<path class="axis" d="M{_LEFT} {middle:.1f}h{_ROOM_X}"/>'
    return _svg("Evidence of each segment", paths + axis + _times(first, last, step))


def scores_chart(scores: Scores) -> str:
    """How many tags scored how much, counts on a logarithmic scale, and the threshold."""
    used = [number for number, count in enumerate(scores.counts) if count]
    low = scores.first_bin + min(used, default=0) - 2
    high = max(scores.first_bin + max(used, default=0), math.ceil(scores.threshold)) + 3
    step = _ROOM_X / (high - low)
    top = _level(max(scores.counts, default=1))
    bars: dict[str, list[str]] = {"below": [], "above": []}
    for number in used:
        bits = scores.first_bin + number
        height = _level(scores.counts[number]) / top * _ROOM_Y
        x, y = _LEFT + (bits - low) * step, _TOP + _ROOM_Y - height
        kind = "above" if bits >= scores.threshold - 1 else "below"
        bars[kind].append(f"M{x:.1f} {y:.1f}h{step * 0.86:.1f}v{height:.1f}h-{step * 0.86:.1f}z")
    paths = "".join(f'<path class="{kind}" d="{"".join(d)}"/>' for kind, d in bars.items() if d)
    parts = [paths, *_threshold(scores.threshold, low, step), *_score_axes(low, high, step, top)]
    return _svg("Scores of all issued tags", "".join(parts))


def _weighed(likelihoods: Sequence[float], symbol: int | None) -> tuple[str, float]:
    """What a segment says of the symbol, and how loudly, 0 to 1."""
    ordered = sorted(likelihoods, reverse=True)
    lead = math.log(max(ordered[0], 1e-30)) - math.log(max(ordered[1], 1e-30))
    share = min(lead / _CERTAIN, 1.0)
    if lead < math.log(2):
        return "unclear", share
    if symbol is None or likelihoods[symbol] == ordered[0]:
        return "agrees", share
    return "differs", share


def _typical_step(segments: Sequence[SegmentEvidence]) -> float:
    times = [segment.master_time for segment in segments]
    steps = sorted(after - before for before, after in pairwise(times))
    return max(steps[len(steps) // 2], 1e-3) if steps else 1.0


def _times(first: float, last: float, step: float) -> str:
    every = _round_step((last - first) / _TICKS, (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200))
    start = math.ceil(first / every)
    labels = (number * every for number in range(start, math.floor(last / every) + 1))
    return _labels((_LEFT + (time - first) * step, clock(time)) for time in labels)


def _score_axes(low: int, high: int, step: float, top: float) -> Iterator[str]:
    yield f'<path class="axis" d="M{_LEFT} {_TOP + _ROOM_Y}h{_ROOM_X}"/>'
    every = _round_step((high - low) / _TICKS, (1, 2, 5, 10, 20))
    marks = range(math.ceil(low / every) * every, high + 1, every)
    yield _labels((_LEFT + (bits - low) * step, f"{bits}") for bits in marks)
    for power in range(math.floor(top - _LEVEL_OF_ONE) + 1):
        y = _TOP + _ROOM_Y - _level(10**power) / top * _ROOM_Y
        count = f"{10**power:,}".replace(",", " ")
        yield f'<text class="count" x="{_LEFT - 6}" y="{y + 4:.1f}">{count}</text>'
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}h{_ROOM_X}"/>'


def _threshold(threshold: float, low: int, step: float) -> Iterator[str]:
    x = _LEFT + (threshold - low) * step
    yield f'<path class="threshold" d="M{x:.1f} {_TOP}v{_ROOM_Y}"/>'
    yield f'<text class="limit" x="{x - 6:.1f}" y="{_TOP + 12}">accused from here →</text>'


def _labels(marks: Iterable[tuple[float, str]]) -> str:
    return "".join(f'<text x="{x:.1f}" y="{HEIGHT - 10}">{text}</text>' for x, text in marks)


def _level(count: int) -> float:
    """How high a count stands: a decade is 1, and a single one can be seen."""
    return math.log10(max(count, 1)) + _LEVEL_OF_ONE


def _round_step(least: float, steps: Sequence[int]) -> int:
    return next((step for step in steps if step >= least), steps[-1] * math.ceil(least / steps[-1]))


def _svg(title: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>{content}</svg>"
    )


def clock(seconds: float) -> str:
    """Seconds as people read them on a player: 1:02:03, 2:03."""
    sign, whole = ("-" if seconds < 0 else ""), round(abs(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02}:{left:02}" if hours else f"{sign}{minutes}:{left:02}"
