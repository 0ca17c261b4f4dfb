"""What is measured on images and phantoms. Images are complex [rows, columns], phantoms have white noise of 1."""

import numpy as np
import scipy.ndimage

from simulate import white


def nrmse(image, truth):
    return float(np.linalg.norm(image - truth) / np.linalg.norm(truth))


def gain_db(before, after, truth):
    """PSNR gain of `after` over `before`."""
    return float(20 * np.log10(np.linalg.norm(before - truth) / np.linalg.norm(after - truth)))


def noisy_version(rng, clean, noise):
    """Clean [n, n] with white complex noise of standard deviation `noise` (number or map) in each part."""
    n = max(clean.shape)
    return clean + noise * white(rng, n)[: clean.shape[0], : clean.shape[1]]


def noise_likeness(noisy, denoised, noise, truth):
    """Whitened residual: its standard deviation, its correlation with the image and with the edges of the image."""
    magnitude = np.abs(truth)
    inside = magnitude > 0.15 * np.percentile(magnitude, 99)
    whitened = (noisy - denoised) / noise
    along = (whitened * np.exp(-1j * np.angle(truth))).real
    edges = np.hypot(*np.gradient(scipy.ndimage.gaussian_filter(magnitude, 1)))
    correlation = lambda a, b: float(np.corrcoef(a[inside], b[inside])[0, 1])
    return dict(
        std=float(np.sqrt((np.abs(whitened[inside]) ** 2).mean() / 2)),
        image=correlation(along, magnitude),
        edges=correlation(np.abs(whitened) ** 2, edges),
    )


def edge_width(denoise, rng, cnr, width=1.8, repeats=8, n=128):
    """10 to 90 % width in pixels of a slanted straight edge before and after; `cnr` is its step over the noise."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    distance = x * np.cos(0.09) + y * np.sin(0.09)
    sigma = width / 2.5631
    clean = (
        cnr
        * (
            1
            + scipy.ndimage.gaussian_filter1d((np.arange(-400, 401) > 0).astype(float), 20 * sigma)[
                np.clip(np.round(distance * 20).astype(int) + 400, 0, 800)
            ]
        )
        * np.exp(0.4j)
    )

    def measured(image):
        inside = np.abs(distance) < 15
        inside[:20] = inside[-20:] = False
        bins = np.round((distance[inside] + 15) * 4).astype(int)
        values = (image * np.exp(-0.4j)).real[inside]
        profile = np.bincount(bins, values) / np.bincount(bins)
        low, high = profile[8:36].mean(), profile[-36:-8].mean()
        relative = (profile - low) / (high - low)
        cross = lambda level: (
            np.interp(level, relative[44:76], np.arange(44, 76) / 4)
            if np.all(np.diff(relative[44:76]) > 0)
            else (
                np.argmax(relative > level)
                - (relative[np.argmax(relative > level)] - level)
                / max(relative[np.argmax(relative > level)] - relative[np.argmax(relative > level) - 1], 1e-9)
            )
            / 4
        )
        return cross(0.9) - cross(0.1)

    outputs = [denoise(noisy_version(rng, clean, 1), 1) for _ in range(repeats)]
    return measured(clean), measured(np.mean(outputs, 0))


def insert_contrast(denoise, rng, radius, contrast, snr=20, repeats=6, n=144):
    """Share of the contrast that discs keep: bright and dark ones of `contrast` on a background of `snr`."""
    finer = 8
    y, x = np.mgrid[: n * finer, : n * finer].astype(np.float32) / finer
    step = 24
    centres = [
        (a + b % 7 * 0.13, c + a % 5 * 0.17)
        for b, a in enumerate(range(step, n - step + 1, step))
        for c in range(step, n - step + 1, step)
    ]
    signs = np.where(np.arange(len(centres)) % 2, 1, -1)
    big = np.full((n * finer, n * finer), float(snr), np.float32)
    for (cy, cx), sign in zip(centres, signs):
        big[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] *= 1 + sign * contrast
    clean = big.reshape(n, finer, n, finer).mean((1, 3)).astype(np.complex64)
    y, x = np.mgrid[:n, :n] + 0.5

    def measured(image):
        result = 0
        for (cy, cx), sign in zip(centres, signs):
            distance = np.hypot(y - cy, x - cx)
            inside, around = distance < radius - 0.3, (distance > radius + 2.5) & (distance < 11)
            result += sign * (image.real[inside].mean() - image.real[around].mean())
        return result

    return measured(np.mean([denoise(noisy_version(rng, clean, 1), 1) for _ in range(repeats)], 0)) / measured(clean)


def flat_bias(denoise, rng, snr, repeats=40, n=160):
    """Largest relative change of the mean in flat regions of 40, 70 and 100 % of the signal."""
    clean = np.zeros((n, n), np.complex64)
    regions = []
    for k, level in enumerate((0.4, 0.7, 1)):
        clean[16:144, 10 + 48 * k : 54 + 48 * k] = level * snr * np.exp(0.7j)
        inside = np.zeros((n, n), bool)
        inside[24:136, 18 + 48 * k : 46 + 48 * k] = True
        regions.append(inside)
    noisy = [noisy_version(rng, clean, 1) for _ in range(repeats)]
    change = [
        np.mean([(denoise(image, 1) - image)[inside].mean() for image in noisy]) / clean[inside].mean()
        for inside in regions
    ]
    return float(np.abs(change).max())


def pure_noise(denoise, rng, n=160, repeats=4):
    """Rest of pure noise: its standard deviation (1 before), and its largest pixel (about 4.5 before)."""
    outputs = np.stack([denoise(white(rng, n), 1) for _ in range(repeats)])
    return float(np.sqrt((np.abs(outputs) ** 2).mean() / 2)), float(np.abs(outputs).max())
