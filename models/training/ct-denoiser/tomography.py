"""Noise as a CT scanner makes it: noise of the projections, sent through filtered backprojection.

A line integral p, measured by N quanta and electronics of s_e quanta, has the variance

    v = exp(p) / N + s_e^2 exp(2 p) / N^2                       (Zeng 2015, doi 10.1109/TNS.2015.2467219)

and filtered backprojection is linear, so the noise of an image is that of its sinogram, reconstructed. Where the body is
long for the rays of one direction, v is large and the noise is streaked along that direction. The body is a few ellipses,
whose line integrals are known in closed form (Kak & Slaney 1988, chapter 3.1). Parallel beam; the tests use the fan beam
of `conus simulate`, which shares no code with this.
"""
import numpy as np
import torch

WATER_PER_MM = 0.0193
PIXEL_MM = 250 / 512

# What of the ramp is kept at f line pairs a mm; f_n is where the detector ends. Names and formulas of soft and bone:
# simulator/ct/reconstructionKernel.ts.
KERNELS = ['smooth', 'soft', 'medium', 'sharp', 'bone', 'ramLak']
CUTOFF_PER_MM = {'smooth': 0.5, 'soft': 0.75, 'medium': 0.95, 'sharp': 1.3}


def kernel_window(kernel, f, f_n):
    if kernel == 'ramLak':
        w = np.ones_like(f)
    elif kernel == 'bone':
        roll = np.clip((f / f_n - 0.6) / 0.4, 0, 1)
        w = (1 + 0.8 * (f / f_n) ** 2) * np.cos(np.pi / 2 * roll) ** 2
    else:
        w = np.cos(np.pi / 2 * np.clip(f / CUTOFF_PER_MM[kernel], 0, 1)) ** 2
    return np.where(f <= f_n, w, 0)


def apply_kernel(image, kernel, f_n, pixel_mm=PIXEL_MM):
    """A reconstruction with the ramp alone -> with a kernel. A window on views is the same window on the image, radially."""
    pad = 16
    padded = np.pad(image, pad, mode='reflect')
    fy = np.fft.fftfreq(padded.shape[0], pixel_mm)[:, None]
    fx = np.fft.rfftfreq(padded.shape[1], pixel_mm)[None]
    spectrum = np.fft.rfft2(padded) * kernel_window(kernel, np.hypot(fx, fy), f_n)
    return np.fft.irfft2(spectrum, padded.shape)[pad:-pad, pad:-pad].astype(np.float32)


def ellipse_sinogram(ellipses, theta, t):
    """Line integrals [views, channels]; an ellipse is (x, y, a, b, angle, attenuation per mm)."""
    p = np.zeros((len(theta), len(t)))
    for x, y, a, b, angle, mu in ellipses:
        extent2 = (a * np.cos(theta - angle)) ** 2 + (b * np.sin(theta - angle)) ** 2
        s = t[None] - (x * np.cos(theta) + y * np.sin(theta))[:, None]
        inside = np.maximum(extent2[:, None] - s ** 2, 0)
        p += 2 * mu * a * b * np.sqrt(inside) / extent2[:, None]
    return p


def random_torso(rng):
    """Water, a spine, sometimes hips or arms, pockets of air: sizes in mm, of adults."""
    a, b = rng.uniform(110, 215), rng.uniform(85, 145)
    bone = lambda: WATER_PER_MM * rng.uniform(0.2, 1.0)
    body = [(0, 0, a, b, 0, WATER_PER_MM), (0, b * 0.4, 22, 20, 0, bone()), (0, b * 0.72, 8, 18, 0, bone())]
    if rng.random() < 0.5:
        body += [(side * a * 0.65, b * 0.3, rng.uniform(8, 25), rng.uniform(25, 45), side * 0.5, bone()) for side in (-1, 1)]
    for _ in range(rng.integers(0, 4)):
        body.append((rng.uniform(-0.6, 0.6) * a, rng.uniform(-0.6, 0.1) * b, *rng.uniform(8, 30, 2), rng.uniform(0, 3), -WATER_PER_MM))
    shift = rng.uniform(-30, 30, 2)
    return [(x + shift[0], y + shift[1], *rest) for x, y, *rest in body]


def backproject(views, theta, t0, step, centre, size, pixel_mm):
    """[size, size] = sum over views of q(t(x, y)), linear interpolation."""
    xs = torch.arange(size) - size // 2
    x, y = xs * pixel_mm + centre[0], xs * pixel_mm + centre[1]
    image = torch.zeros(size, size)
    views = torch.as_tensor(views, dtype=torch.float32)
    for q, angle in zip(views, theta):
        place = (x[None] * float(np.cos(angle)) + y[:, None] * float(np.sin(angle)) - t0) / step
        whole = place.long().clamp_(0, len(q) - 2)
        lower = q[whole]
        image += lower + (place - whole) * (q[whole + 1] - lower)
    return image.numpy()


def noise_field(rng, pixel_mm=PIXEL_MM, size=512, n_views=600):
    """A field of ramp-filtered noise of unit mean variance, its standard deviation a pixel, and the detector's Nyquist."""
    step = rng.uniform(0.45, 0.8)
    n_channels = 2 * int((50 + 0.72 * size * pixel_mm) / step)
    t = (np.arange(n_channels) - (n_channels - 1) / 2) * step
    theta = np.arange(n_views) * np.pi / n_views + rng.uniform(0, np.pi)
    p = ellipse_sinogram(random_torso(rng), theta, t)
    chord = np.sqrt(np.maximum(400.0 ** 2 - 4 * t ** 2, 0))
    bowtie = np.maximum(0.03, np.exp(-WATER_PER_MM * (400 - chord))) if rng.random() < 0.7 else np.ones_like(t)
    quanta = 1.2e6 * np.exp(rng.uniform(np.log(0.08), np.log(2))) * bowtie * np.exp(-p)
    variance = 1 / np.maximum(quanta, 30) + 17.5 ** 2 / np.maximum(quanta, 30) ** 2
    noise = rng.standard_normal(variance.shape) * np.sqrt(variance)
    length = 2 ** int(np.ceil(np.log2(2 * n_channels)))
    fine = 3  # samples a channel, so that the linear interpolation of the backprojection blurs little
    spectrum = np.fft.rfft(noise, length) * np.fft.rfftfreq(length)
    wide = np.fft.irfft(spectrum, fine * length)[:, :fine * n_channels]
    centre = rng.uniform(-60, 60, 2)
    field = backproject(wide, theta, t[0], step / fine, centre, size, pixel_mm)
    coarse = size // 8
    level = backproject(variance, theta, t[0], step, centre, coarse, 8 * pixel_mm)
    grid = torch.as_tensor(level)[None, None]
    level = torch.nn.functional.interpolate(grid, size=(size, size), mode='bilinear', align_corners=False)[0, 0].numpy()
    std = np.sqrt(level)
    return field, std, 1 / (2 * step)
