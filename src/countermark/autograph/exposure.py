"""What differs between two frames beyond a change of exposure.

A camera that adapts changes it all the time, films fade, and encoders predict both: a block that
they repeat gets brighter with the rest (H.264, 8.4.2.3, weighted prediction).
"""

import numpy as np

from countermark.autograph.pattern import Grid

# Rounds of the fit, and the square of a change that counts half in it, squared luma steps.
_ROUNDS, _ALIKE = 3, 1.0
_TINY = 1e-3


def beyond_exposure(frame: Grid, other: Grid) -> Grid:
    """By how much a frame differs from what another lets expect.

    What moves may fill much of the frame, so the fit of gain and offset is robust (iteratively
    reweighted least squares with Cauchy's weights).

    Args:
        frame: luma, shape (rows, columns).
        other: of the same shape.

    Returns:
        Signed, luma steps, of the same shape.
    """
    left = frame - other
    for _ in range(_ROUNDS):
        weight = 1 / (np.square(left) + np.float32(_ALIKE))
        weight /= weight.sum()
        of_frame, of_other = frame - (weight * frame).sum(), other - (weight * other).sum()
        weighed = weight * of_other
        gain = (weighed * of_frame).sum() / ((weighed * of_other).sum() + np.float32(_TINY))
        left = of_frame - gain * of_other
    return np.asarray(left, np.float32)
