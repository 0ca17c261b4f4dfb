"""The baseline without context: every pixel's missing signal as a cubic polynomial of its T1w and T2w and of the protocol.

Features of a pixel: the ten monomials of degree <= 3 in (T1w / m1, T2w / m2), each times 1 and times each number that is known of the
exam: the sequences (acquired and wanted) and the field strength. Least squares with a small ridge on training patients, under the
same noise, shading and gains as the network's inputs.
"""

import numpy as np

import data
import signals
from scanner import target_vector

PIXELS = 1500
# Of the exam: sequences, field strength, refocusing angle; neither scale nor third image.
KNOWN = (0, 1, 2, 3, 4, 5, 6, 15)
LARGEST = 6.0


def protocol(made):
    """1 and the numbers that are known of the exam."""
    wanted = target_vector(signals.sequences_of([made['sequences']], data.sequence_numbers)).numpy()[0]
    return np.concatenate(([1.0], made['exam'][list(KNOWN)], wanted[:7]))


def features(first, second, numbers):
    """[pixels, 10 * numbers]"""
    a, b = np.minimum(first, LARGEST).astype(np.float64), np.minimum(second, LARGEST).astype(np.float64)
    monomials = np.stack([a**i * b**j for i in range(4) for j in range(4 - i)], -1)
    return (monomials[..., None] * numbers).reshape(*a.shape, -1)


class Cubic:
    def __init__(self, cases, slices=350, seed=77):
        """Fitted on evenly chosen slices of training patients."""
        rng = np.random.default_rng(seed)
        options = data.Options(known=False, third='none', left_out='none', coarse=False, lesions=False)
        normal, right = 0, 0
        for index in np.linspace(0, len(cases) - 1, slices).astype(int):
            made = data.make(cases, index, rng, options)
            body = np.flatnonzero(made['truth'][0] > 0.1)
            if len(body) < PIXELS:
                continue
            chosen = rng.choice(body, PIXELS, replace=False)
            x = features(*(made['images'][k].ravel()[chosen] for k in (0, 1)), protocol(made))
            y = np.stack([np.abs(made['truth'][data.TRUTH.index(name)]).ravel()[chosen] for name in ('stir', 't2fs')], -1)
            normal, right = normal + x.T @ x, right + x.T @ y
        size = np.sqrt(np.diag(normal))
        self.weights = np.linalg.solve(normal / np.outer(size, size) + 1e-7 * np.eye(len(size)), right / size[:, None]) / size[:, None]

    def images(self, made):
        # Without context, a pixel's number of features is small enough for all pixels at once.
        numbers = protocol(made)
        monomials = features(made['images'][0], made['images'][1], np.ones(1))
        shown = monomials @ (self.weights.reshape(10, len(numbers), 2) * numbers[None, :, None]).sum(1)
        return dict(stir=np.maximum(shown[..., 0], 0).astype(np.float32), t2fs=np.maximum(shown[..., 1], 0).astype(np.float32))
