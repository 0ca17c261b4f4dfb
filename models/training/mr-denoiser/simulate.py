"""Noise as it is in life, and the patches that the network learns from.

Unaliasing: with whitened coils S and acceleration R along one axis, the R pixels that fold onto one another get noise
of covariance (S^H S)^-1 (Pruessmann 1999, doi 10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S): the
noise of each is sqrt(R) g, and it is correlated across the fold.
"""

import functools

import numpy as np
import scipy.fft
import scipy.ndimage

TILE = 128
MARGIN = 16
PATCH = TILE - 2 * MARGIN


# Coils and unaliasing


def coil_maps(rng, rows, columns, n_coils):
    """Surface coils as magnetic dipoles about an ellipse, complex [coil, rows, columns]; two of three behind the back."""
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing='ij')
    maps = np.empty((n_coils, rows, columns), np.complex64)
    radius = rng.uniform(1.1, 1.5)
    spine = rng.random() < 0.6
    for coil in range(n_coils):
        if spine and coil % 3 < 2:
            centre = np.array([rng.uniform(-1.1, 1.1), radius + rng.uniform(0, 0.1)])
        else:
            angle = 2 * np.pi * (coil + rng.uniform(-0.3, 0.3)) / n_coils
            centre = radius * np.array([np.sin(angle), np.cos(angle)])
        direction = -centre / np.linalg.norm(centre) + rng.normal(0, 0.2, 2)
        dy, dx = y - centre[0], x - centre[1]
        r2 = dx**2 + dy**2 + rng.uniform(0.1, 0.4)
        along = 3 * (direction[0] * dy + direction[1] * dx)
        maps[coil] = ((along * dx - direction[1] * r2) - 1j * (along * dy - direction[0] * r2)) / r2**2.5
    return maps / np.sqrt((np.abs(maps) ** 2).sum(0)).mean()


def fold_groups(maps, acceleration, axis):
    """Maps with the folding pixels together: [coil, R, n / R, m] after cropping to a multiple of R."""
    moved = np.moveaxis(maps, axis + 1, 1)
    n = moved.shape[1] // acceleration * acceleration
    return moved[:, :n].reshape(moved.shape[0], acceleration, n // acceleration, moved.shape[2])


def unfolding_covariance(maps, acceleration, axis, regularisation=1e-3):
    """(S^H S + small)^-1 for each fold, relative to full sampling with the same maps: [n / R, m, R, R]."""
    folded = fold_groups(maps, acceleration, axis)
    gram = np.einsum('crij,csij->ijrs', folded.conj(), folded)
    diagonal = np.einsum('ijrr->ijr', gram).real
    gram = gram + regularisation * diagonal.mean(-1)[..., None, None] * np.eye(acceleration)
    covariance = acceleration * np.linalg.inv(gram)
    scale = np.sqrt(diagonal)
    return covariance * scale[..., :, None] * scale[..., None, :]


def unaliased_noise(rng, maps, acceleration, axis, n):
    """n draws of complex noise [n, rows, columns] (1 in each part with full sampling) and its standard deviation."""
    covariance = unfolding_covariance(maps, acceleration, axis)
    root = np.linalg.cholesky(covariance)
    shape = (n, *covariance.shape[:2], acceleration)
    white = rng.standard_normal(shape, np.float32) + 1j * rng.standard_normal(shape, np.float32)
    noise = np.einsum('ijrs,nijs->nrij', root, white)
    std = np.sqrt(np.einsum('ijrr->rij', covariance).real)
    together = lambda a: np.moveaxis(a.reshape(*a.shape[:-3], -1, a.shape[-1]), -2, -2 if axis == 0 else -1)
    return together(noise).astype(np.complex64), together(std).astype(np.float32)


def noise_bank(seed, n_settings, draws):
    """Unaliased noise of many coil arrays: list of (noise [draws, rows, columns], std [rows, columns])."""
    rng = np.random.default_rng(seed)
    bank = []
    for _ in range(n_settings):
        rows, columns = rng.integers(200, 289, 2)
        acceleration = int(rng.choice([2, 2, 3, 3, 4]))
        maps = coil_maps(rng, rows, columns, int(rng.integers(max(6, 3 * acceleration), 21)))
        noise, std = unaliased_noise(rng, maps, acceleration, int(rng.integers(2)), draws)
        typical = np.median(std)
        # What no coil sees is not an image any more: the map stays within what a reconstruction would deliver.
        limit = np.minimum(1, 12 * typical / std)
        bank.append((noise * (limit / typical), std * (limit / typical)))
    return bank


# Shapes with sharp edges and small inserts


def shapes_image(rng, n=224, finer=3):
    """Ellipses, bars and discs of all contrasts, seen through a truncated k-space (so Gibbs rings are real)."""
    big = n * finer
    y, x = np.mgrid[:big, :big].astype(np.float32) / finer
    image = np.zeros((big, big), np.float32)

    def paint(inside, value, mix):
        image[inside] = image[inside] * (1 - mix) + value * mix

    for _ in range(rng.integers(4, 14)):
        cy, cx, angle = rng.uniform(0, n), rng.uniform(0, n), rng.uniform(0, np.pi)
        a, b = np.exp(rng.uniform(np.log(6), np.log(n / 2), 2))
        u, v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        inside = (u / a) ** 2 + (v / b) ** 2 < 1 if rng.random() < 0.6 else (abs(u) < a) & (abs(v) < b)
        paint(inside, rng.uniform(0, 2), 1)
    for _ in range(rng.integers(10, 60)):
        cy, cx, radius = rng.uniform(0, n), rng.uniform(0, n), np.exp(rng.uniform(np.log(0.7), np.log(8)))
        low = [max(0, int((c - radius - 1) * finer)) for c in (cy, cx)]
        window = tuple(slice(l, int((c + radius + 1) * finer)) for l, c in zip(low, (cy, cx)))
        inside = (y[window] - cy) ** 2 + (x[window] - cx) ** 2 < radius**2
        image[window][inside] += rng.choice([-1, 1]) * np.exp(rng.uniform(np.log(0.03), np.log(1)))
    image = np.abs(image)
    if rng.random() < 0.5:
        image = scipy.ndimage.gaussian_filter(image, finer * rng.uniform(0.3, 1.2))
    if rng.random() < 0.5:
        image *= 1 + 0.5 * smooth_field(rng, big, 3)
    spectrum = scipy.fft.fftshift(scipy.fft.fft2(image))
    low, high = big // 2 - n // 2, big // 2 + n // 2
    small = np.abs(scipy.fft.ifft2(scipy.fft.ifftshift(spectrum[low:high, low:high]))) / finer**2
    return (small / max(small.mean(), 0.05)).astype(np.float32)


# Patches

SHARES = (0.4, 0.35, 0.15, 0.1)


@functools.lru_cache(maxsize=64)
def spline_basis(n, knots):
    """Cubic B-splines over n pixels: [n, knots + 3], rows sum to 1."""
    position = np.arange(n) * knots / n
    distance = np.abs(position[:, None] + 1 - np.arange(knots + 3)[None, :])
    near, far = distance < 1, (distance >= 1) & (distance < 2)
    basis = near * (2 / 3 - distance**2 + distance**3 / 2) + far * (2 - np.minimum(distance, 2)) ** 3 / 6
    return basis.astype(np.float32)


def smooth_field(rng, n, knots):
    """Smooth random field [n, n] within about -1..1: cubic B-splines of normal numbers on knots x knots cells."""
    basis = spline_basis(n, knots)
    return basis @ rng.standard_normal((knots + 3, knots + 3), np.float32) @ basis.T


def phase(rng, n):
    """Smooth phase, at times rough, with a jump or none at all: unit complex [n, n]."""
    kind = rng.random()
    if kind < 0.15:
        return np.full((n, n), np.exp(1j * rng.uniform(0, 2 * np.pi)), np.complex64)
    y, x = np.mgrid[:n, :n].astype(np.float32) / n - 0.5
    angle = (
        rng.uniform(-np.pi, np.pi)
        + rng.normal(0, 2) * x
        + rng.normal(0, 2) * y
        + rng.normal(0, 2) * smooth_field(rng, n, 2)
    )
    if kind > 0.75:
        angle = angle + rng.uniform(0.3, 1.5) * smooth_field(rng, n, int(rng.integers(4, 12)))
    if kind > 0.93:
        angle = angle + np.pi * (x * rng.normal() + y * rng.normal() > 0.1)
    return np.exp(1j * angle).astype(np.complex64)


def k_space_weight(rng, n):
    """Weight of k-space [n, n] (unshifted): partial Fourier or asymmetric echo, raw filters; none in half of the cases."""

    def on_axis(profile):
        return profile[:, None] if rng.random() < 0.5 else profile[None, :]

    k = np.abs(np.fft.fftfreq(n) * 2)
    signed = np.fft.fftfreq(n) * 2
    kind = rng.random()
    if kind < 0.5:
        return None
    weight = np.ones((n, n), np.float32)
    if kind < 0.68:
        weight = weight * on_axis((signed <= 2 * rng.uniform(0.55, 0.9) - 1).astype(np.float32))
    elif kind < 0.84:
        mix = rng.uniform(0.3, 1)
        window = (
            1 - mix + mix * (0.5 + 0.5 * np.cos(np.pi * k))
            if rng.random() < 0.5
            else np.exp(-0.5 * (k / rng.uniform(0.5, 1.2)) ** 2)
        )
        weight = weight * window[:, None] * window[None, :]
    else:
        inside = (k <= rng.uniform(0.5, 0.95)).astype(np.float32), (k <= rng.uniform(0.5, 1)).astype(np.float32)
        weight = weight * inside[0][:, None] * inside[1][None, :]
    return weight.astype(np.float32)


def turned(rng, *arrays):
    """The same random turn and mirror of all arrays (last two axes)."""
    quarter, mirror = int(rng.integers(4)), rng.random() < 0.5
    return [np.rot90(a[..., ::-1] if mirror else a, quarter, (-2, -1)) for a in arrays]


def window_of(rng, array, n):
    """Random window [..., n, n], reflected where the array is smaller."""
    short = [max(0, n - s) for s in array.shape[-2:]]
    if any(short):
        array = np.pad(array, [(0, 0)] * (array.ndim - 2) + [(0, s) for s in short], 'reflect')
    top, left = (int(rng.integers(s - n + 1)) for s in array.shape[-2:])
    return array[..., top : top + n, left : left + n]


def white(rng, n):
    return (rng.standard_normal((n, n), np.float32) + 1j * rng.standard_normal((n, n), np.float32)).astype(np.complex64)


def relative_noise(rng, bank):
    """Complex noise [TILE, TILE] about 1 in each part, and its standard deviation."""
    kind = rng.random()
    if kind < 0.4:
        return white(rng, TILE), np.ones((TILE, TILE), np.float32)
    if kind < 0.75:
        noise, std = bank[rng.integers(len(bank))]
        pair = window_of(rng, np.concatenate((noise[rng.integers(len(noise))][None], std[None])), TILE)
        pair = turned(rng, pair)[0]
        noise = pair[0] if rng.random() < 0.5 else pair[0].conj()
        return noise * np.exp(1j * np.float32(rng.uniform(0, 2 * np.pi))), pair[1].real.copy()
    std = np.exp(rng.uniform(0.2, 0.9) * smooth_field(rng, TILE, int(rng.integers(1, 6))))
    if kind > 0.9:
        edge = smooth_field(rng, TILE, 3) > rng.uniform(-0.3, 0.3)
        std = np.where(edge, std * rng.uniform(1.2, 3), std).astype(np.float32)
    return white(rng, TILE) * std, std


def patch(rng, images, bank):
    """One example, from images = (real spines, simulated spines, shapes, brains), each with `pick(rng)`: (noisy complex, noise map, clean complex),
    each [PATCH, PATCH], mean foreground about 1."""
    image, own_snr = images[rng.choice(len(images), p=SHARES)].pick(rng)
    clean = turned(rng, window_of(rng, image, TILE))[0] * rng.uniform(0.8, 1.25)
    magnitude_only = rng.random() < 0.08
    tile = clean.astype(np.complex64) * (1 if magnitude_only else phase(rng, TILE))
    noise, std = relative_noise(rng, bank)

    weight = k_space_weight(rng, TILE)
    if weight is not None and not magnitude_only:
        both = scipy.fft.ifft2(scipy.fft.fft2(np.stack((tile, noise))) * weight)
        tile, noise = both
        # Variance of filtered independent noise: the filter's squared kernel over the variances.
        energy = scipy.fft.fft2(np.abs(scipy.fft.ifft2(weight)) ** 2)
        variance = scipy.fft.ifft2(scipy.fft.fft2(std**2) * energy).real
        std = np.sqrt(np.maximum(variance, 1e-4 * variance.mean()))

    highest = min(200.0, 1.5 * own_snr)
    snr = np.exp(rng.uniform(np.log(1.5), np.log(max(highest, 3))))
    sigma = 1 / snr
    kind = rng.random()
    if kind < 0.03:
        tile = 0 * tile
    amplitude = sigma
    if 0.03 < kind < 0.15:
        # The map claims more noise than there is, or noise where there is none: to be left as it is.
        amplitude = sigma * max(0.0, rng.uniform(-0.5, 0.5))
    elif kind > 0.85:
        amplitude = sigma * rng.uniform(0.9, 1.1)
    if magnitude_only and snr > 4:
        noisy = np.abs(tile + amplitude * noise).astype(np.complex64)
    else:
        noisy = tile + amplitude * noise
    inner = slice(MARGIN, TILE - MARGIN)
    return noisy[inner, inner], (sigma * std)[inner, inner], tile[inner, inner]


def batch(rng, images, bank, n):
    """n patches as float32: noisy [n, 2, p, p], noise [n, 1, p, p], clean [n, 2, p, p]."""
    noisy, noise, clean = (np.stack(part) for part in zip(*(patch(rng, images, bank) for _ in range(n))))
    channels = lambda z: np.stack((z.real, z.imag), 1).astype(np.float32)
    return channels(noisy), noise[:, None].astype(np.float32), channels(clean)
