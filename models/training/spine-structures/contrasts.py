"""Contrasts of slices that no scanner need have taken, so that a network learns structures and not sequences.

From the tissues' parameters of a painted slice: spin echoes of any times, and random mixtures of the parameters with a random
brightness a structure (SynthSeg: Billot et al. 2023, doi 10.1016/j.media.2023.102789). Of a real image: other curves of
brightness, and other brightness of its labelled structures. All on [n, rows, columns] at once (batched.py).
"""

import numpy as np
import torch

from batched import blurred, looked_up, percentile
from structures import BELOW, CANAL, ELSEWHERE, INDEX, LAST_PRESACRAL, SINGLE, UNKNOWN, VERTEBRA

BRIGHTNESSES = 96
KNOTS = 5
# Of images over their top; curves of brightness end here.
HIGHEST = 1.5
# Standard deviation of the border between two structures' brightness, in pixels of about 0.8 mm.
BORDER_PIXELS = 1.1
# Spread of the logarithm of a structure's brightness in real images.
GAIN_SPREAD = {CANAL: 0.7, VERTEBRA: 0.35, INDEX['disc']: 0.4, ELSEWHERE: 0.25}


def spin_echo(draws, density, t1_ms, t2_ms, fat):
    """A spin echo of tissues with water and fat, sometimes inverted or fat-saturated, of times that nobody need use."""
    tr, te, ti = draws.log_uniform(300, 7000), draws.log_uniform(6, 150), draws.uniform(80, 1200)
    inverted = draws.chance(0.25)
    # Fat at about 1.5 T; fat saturation leaves a part of it.
    fat_t1, fat_t2 = draws.uniform(250, 400), draws.uniform(60, 130)
    left = torch.where(draws.chance(0.7) > 0, torch.ones_like(fat_t1), draws.uniform(0, 0.3))

    def magnetisation(t1):
        recovered = torch.exp(-tr / t1)
        return torch.where(inverted > 0, 1 - 2 * torch.exp(-ti / t1) + recovered, 1 - recovered)

    water = (1 - fat) * magnetisation(t1_ms.clamp(min=20)) * torch.exp(-te / t2_ms.clamp(min=2))
    return (density * (water + fat * left * magnetisation(fat_t1) * torch.exp(-te / fat_t2))).abs()


def random_contrast(draws, density, t1_ms, t2_ms, fat, label, classes):
    """A mixture of parameters with a random brightness a structure, blurred as partial volumes are; air stays dark."""
    parts = (density, 0.5 * torch.log(t1_ms.clamp(min=50) / 800), 0.5 * torch.log(t2_ms.clamp(min=5) / 60), 1.5 * fat)
    image = sum(draws.normal() * part for part in parts)
    # Each vertebra its own, in some: metastases, radiation, coils that end.
    body = (label > 100) & (label <= 100 + LAST_PRESACRAL)
    image = image + draws.chance(0.3) * body * 0.3 * looked_up(draws.table(32), label % 32)
    # Other muscles and organs have brightnesses of their own.
    groups = torch.where((classes == 0) & (label < 64), 16 + label % 64, classes)
    offsets = draws.uniform(0.1, 0.7)[:, :, 0] * draws.table(BRIGHTNESSES)
    image = image + blurred(looked_up(offsets, groups), draws.uniform(0.3, 0.8))
    low = percentile(image, draws.uniform(0, 12))
    return (image - low).clamp(min=0) * (density / 0.15).clamp(0, 1)


def curved(images, values):
    """Piecewise linear through values [n, KNOTS] at even distances from 0 to HIGHEST."""
    place = images * ((KNOTS - 1) / HIGHEST)
    lower = place.floor().clamp(0, KNOTS - 2)
    low, high = looked_up(values, lower.long()), looked_up(values, lower.long() + 1)
    return low + (place - lower) * (high - low)


def recoloured(draws, images, sets):
    """Real images over their top, with another curve of brightness, and other brightness of their structures."""
    images = images.clamp(0, HIGHEST)
    rising = np.cumsum(np.concatenate((np.zeros((draws.n, 1)), draws.rng.uniform(0.05, 1, (draws.n, KNOTS - 1))), 1), 1)
    curve = curved(images, draws.each((rising / rising[:, -1:]).ravel()).view(draws.n, KNOTS))
    # Dark where it was bright, but for air.
    turned = (1.1 - images.clamp(max=1.1)) * (images / draws.uniform(0.05, 0.15)).clamp(0, 1)
    chance = draws.uniform()
    images = torch.where(chance < 0.25, curve, torch.where(chance < 0.4, turned, images))

    gains = np.ones((draws.n, SINGLE + 5))
    for value, spread in GAIN_SPREAD.items():
        gains[:, value] = np.exp(draws.rng.normal(0, spread, draws.n))
    gains[:, BELOW], gains[:, UNKNOWN] = gains[:, ELSEWHERE], 0
    border = draws.each(np.full(draws.n, BORDER_PIXELS))
    gain = blurred(looked_up(draws.each(gains.ravel()).view(draws.n, -1), sets), border)
    known = blurred((sets != UNKNOWN).float(), border)
    gain = torch.where((known > 0.02) & (draws.chance(0.45) > 0), gain / known.clamp(min=1e-3), torch.ones_like(gain))
    return images * gain
