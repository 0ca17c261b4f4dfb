"""Classical filters, each tuned for every image with the truth in hand: generous to them.

Real and imaginary part are two channels, or the magnitude is one. Total variation (Chambolle 2004), non-local means
(Buades 2005), wavelet shrinkage (Chang 2000) from scikit-image; BM3D (Dabov 2007, doi 10.1109/TIP.2007.901238).
"""

import bm3d
import numpy as np
from skimage import restoration


def channels_of(image):
    return np.stack((image.real, image.imag), -1) if np.iscomplexobj(image) else image[..., None]


def best(candidates, truth):
    """The candidate nearest to the truth, as channels."""
    return min(candidates, key=lambda c: np.linalg.norm(c - truth))


def filters(with_bm3d):
    """Name -> function (channels [rows, columns, c], noise) that yields results over the range of its parameter."""
    tv = lambda x, noise: (
        restoration.denoise_tv_chambolle(x, w * noise, channel_axis=-1, max_num_iter=100)
        for w in (0.5, 0.75, 1, 1.35, 1.8, 2.4)
    )
    nlm = lambda x, noise: (
        restoration.denoise_nl_means(x, 5, 7, h * noise, sigma=noise, fast_mode=True, channel_axis=-1)
        for h in (0.4, 0.6, 0.8, 1.0, 1.3)
    )
    wavelet = lambda x, noise: (
        restoration.denoise_wavelet(
            x, s * noise, 'db2', 'soft', method='BayesShrink', channel_axis=-1, rescale_sigma=False
        )
        for s in (0.6, 0.8, 1, 1.2)
    )
    block = lambda x, noise: (
        np.stack([bm3d.bm3d(x[..., c], s * noise) for c in range(x.shape[-1])], -1) for s in (0.85, 1.05)
    )
    named = dict(tv=tv, nlm=nlm, wavelet=wavelet)
    return {**named, 'bm3d': block} if with_bm3d else named


def tuned(noisy, truth, noise, with_bm3d=False):
    """Name -> the best result of each filter, complex or magnitude as the input."""
    x, y = channels_of(noisy), channels_of(truth)
    results = {}
    for name, run in filters(with_bm3d).items():
        result = best(list(run(x, noise)), y)
        results[name] = result[..., 0] + 1j * result[..., 1] if np.iscomplexobj(noisy) else result[..., 0]
    return results
