"""The residue: what explains a frame goes, and the mark stays."""

import cv2
import numpy as np

from countermark.autograph.residue import explanations, residues

SHAPE = (60, 100)
MARK_CELL = 4  # of the grid


def test_what_a_picture_explains_of_its_own_mark_is_little() -> None:
    random = np.random.default_rng(1)
    picture = cv2.GaussianBlur(random.normal(120, 60, SHAPE).astype(np.float32), (0, 0), 1)
    signs = random.choice((-1.0, 1.0), (SHAPE[0] // MARK_CELL, SHAPE[1] // MARK_CELL))
    mark = cv2.resize(signs.astype(np.float32), SHAPE[::-1], interpolation=cv2.INTER_LINEAR)
    toned = np.float32(0.8) * picture + np.float32(9)
    explained = explanations(picture, picture, picture)
    left, kept = residues([toned, mark], explained, np.ones(SHAPE, np.float32))
    assert np.square(left).mean() < 1e-3 * picture.var()
    assert np.square(kept).mean() > 0.75 * np.square(mark).mean()


def test_gamma_is_explained_where_contrast_is_high() -> None:
    random = np.random.default_rng(2)
    picture = random.choice((40.0, 120.0, 200.0), SHAPE).astype(np.float32)
    bent = np.float32(255) * (picture / 255) ** np.float32(1.4)
    explained = explanations(picture, picture, picture)
    (left,) = residues([bent], explained, np.ones(SHAPE, np.float32))
    assert np.square(left).mean() < 1e-3 * picture.var()
