"""What a scanner would deliver of slices: another pixel size and place, and what coils, metal, sampling and noise do to them.

All on [n, rows, columns] at once (batched.py).
"""

import numpy as np
import torch
import torch.nn.functional as F

from batched import blurred, in_some, percentile
from structures import NOMINAL_MM

SIZE = 256
PIXEL_MM = (0.5, 1.2)


def placed(draws, images, sets, pixel_mm, axial, shapes, middles):
    """Turned, stretched, resampled to a pixel size about the nominal one, and cut: images, sets, both [n, SIZE, SIZE].

    pixel_mm [n]; axial [n], those may be mirrored; shapes [n, 2] of what of an image there is; middles [n, 2] of what is labelled in it, NaN where nothing is.
    """
    rng, n = draws.rng, draws.n
    nominal = np.where(axial, NOMINAL_MM['axial'], NOMINAL_MM['sagittal'])
    wanted = np.clip(nominal * np.exp(rng.normal(0, 0.22, n)), *PIXEL_MM)
    stretch = np.exp(rng.normal(0, 0.06, n))
    step = (wanted / pixel_mm)[:, None] * np.stack((stretch, 1 / stretch), 1)
    angle = np.deg2rad(rng.normal(0, 7, n))
    sigma = np.where(step.max(1, keepdims=True) > 1.15, 0.4 * np.sqrt(np.maximum(step**2 - 1, 0)), 0)
    mirrored = np.where(axial & (rng.random(n) < 0.5), -1, 1)
    # The middle of what is cut out lies where labels are, mostly.
    spare = np.maximum(shapes - SIZE * step, 0.1 * shapes)
    within = rng.random((n, 2)) - 0.5
    anywhere = within * spare + shapes / 2 - 0.5
    labelled = middles + within * np.minimum(spare, 0.55 * SIZE * step)
    centre = np.where((rng.random(n)[:, None] < 0.8) & np.isfinite(middles), labelled, anywhere)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1) * (step * np.stack((np.ones(n), mirrored), 1))[:, None]
    # As grid_sample has it: x = columns first, -1 to 1 from edge to edge.
    size = np.array(images.shape[1:])
    theta = np.concatenate((matrix * SIZE, 2 * (centre[:, :, None] + 0.5) - size[:, None]), 2) / size[:, None]
    theta = torch.from_numpy(theta[:, ::-1][:, :, [1, 0, 2]].astype(np.float32)).to(images.device, non_blocking=True)
    grid = F.affine_grid(theta, (n, 1, SIZE, SIZE), align_corners=False)
    least = images.amin((1, 2), keepdim=True)
    images = blurred(images - least, draws.each(sigma[:, 0]), draws.each(sigma[:, 1]))
    warped = F.grid_sample(images[:, None], grid, align_corners=False)[:, 0] + least
    # Beyond the field of view there is background.
    chosen = F.grid_sample(sets[:, None].float(), grid, 'nearest', align_corners=False)[:, 0]
    return warped, chosen.long()


def smooth(draws, knots):
    """Smooth random fields [n, SIZE, SIZE] through normal values at so many knots a side."""
    return F.interpolate(draws.noise(knots, knots)[:, None], size=(SIZE, SIZE), mode='bicubic', align_corners=True)[:, 0]


def with_voids(draws, images, across, down):
    """Up to three dark spots, some with a bright rim, as metal and gas make them."""
    voids = draws.each(draws.rng.integers(1, 4, draws.n))
    for place in range(3):
        y, x, radius = draws.uniform(-0.8, 0.8), draws.uniform(-0.8, 0.8), draws.uniform(0.03, 0.14)
        distance = torch.hypot((down - y) * draws.uniform(0.6, 1.6), across - x) / radius
        rim = 0.8 * torch.exp(-((distance - 1.15) ** 2) * 40) * draws.chance(0.5)
        images = torch.where(voids > place, images * torch.sigmoid((distance - 1) * 8) + rim, images)
    return images


def sharply_cut(draws, images):
    """Without the outer part of k-space, which rings."""
    spectrum = torch.fft.rfft2(images)
    down, across = (frequencies(SIZE, device=images.device) for frequencies in (torch.fft.fftfreq, torch.fft.rfftfreq))
    inside = (down.abs()[:, None] <= draws.uniform(0.5, 1) / 2) & (across <= draws.uniform(0.5, 1) / 2)
    return torch.fft.irfft2(spectrum * inside, s=(SIZE, SIZE)).abs()


def delivered(draws, images, axial):
    """MR magnitudes [n, SIZE, SIZE] with what coils, saturation, metal, sampling and noise do to them."""
    rng = draws.rng
    line = torch.linspace(-1, 1, SIZE, device=images.device)
    across, down = line[None, None, :], line[None, :, None]
    turned = draws.each(axial) > 0
    behind, beside = torch.where(turned, down, across), torch.where(turned, across, down)
    images = images / percentile(images, 99).clamp(min=1e-6)
    field = draws.uniform(0, 1.3) * behind + draws.uniform(0, 0.35) * smooth(draws, 4)
    # Coils that end above and below.
    ends = draws.uniform(0.5, 3) * (down.abs() - draws.uniform(0.4, 0.9)).clamp(min=0)
    images = images * torch.exp(draws.chance(0.8) * field - draws.chance(0.12) * ends)
    # A saturation band in front.
    edge = draws.uniform(-1, 0) + draws.normal(0.15) * beside
    band = draws.uniform(0.4, 0.95) * 0.5 * (1 - torch.tanh((behind - edge) * draws.uniform(8, 25)))
    images = images * (1 - draws.chance(0.2) * band)
    images = in_some(draws, images, rng.random(draws.n) < 0.08, lambda part, some: with_voids(part, images[some], across, down))
    chance = rng.random(draws.n)
    images = blurred(images, *(draws.each(np.where(chance < 0.35, rng.uniform(0, 1, draws.n), 0)) for _ in range(2)))
    images = in_some(draws, images, (chance >= 0.35) & (chance < 0.5), lambda part, some: sharply_cut(part, images[some]))
    noise = draws.log_uniform(0.004, 0.09)
    images = torch.hypot(images + noise * draws.noise(SIZE, SIZE), noise * draws.noise(SIZE, SIZE))
    return images ** torch.exp(draws.chance(0.4) * draws.normal(0.25))


def delivered_ct(draws, hounsfield):
    """CT with a reconstruction's blur and grain, and another calibration."""
    hounsfield = blurred(hounsfield, draws.uniform(0, 0.9))
    grain = blurred(draws.noise(SIZE, SIZE), draws.uniform(0, 1))
    grain = grain / grain.std((1, 2), keepdim=True) * draws.log_uniform(4, 70)
    return hounsfield * draws.uniform(0.9, 1.1) + draws.normal(12) + grain
