"""Operations on many images [n, rows, columns] at once, each with parameters of its own [n, 1, 1], on the device that the images are on."""

import numpy as np
import torch
import torch.nn.functional as F

from structures import BRIGHTEST

# Of a Gaussian, in pixels: three standard deviations of the widest here.
REACH = 5


class Draws:
    """Random numbers for n images: those of an image from numpy's generator `rng`, known without waiting for the device, noise from the device's own."""

    def __init__(self, rng, n, device):
        self.rng, self.n, self.device = rng, n, device
        self.of_device = torch.Generator(device).manual_seed(int(rng.integers(2**62)))

    def each(self, values):
        """[n] -> [n, 1, 1] on the device."""
        return torch.from_numpy(np.asarray(values, np.float32)).to(self.device, non_blocking=True)[:, None, None]

    def uniform(self, low=0.0, high=1.0):
        return self.each(self.rng.uniform(low, high, self.n))

    def log_uniform(self, low, high):
        return self.each(np.exp(self.rng.uniform(np.log(low), np.log(high), self.n)))

    def normal(self, deviation=1.0):
        return self.each(self.rng.normal(0, deviation, self.n))

    def chance(self, probability):
        """1 in so many images, 0 in the others."""
        return self.each(self.rng.random(self.n) < probability)

    def table(self, columns):
        """Standard normal [n, columns]."""
        return torch.randn(self.n, columns, generator=self.of_device, device=self.device)

    def noise(self, rows, columns):
        """Standard normal [n, rows, columns]."""
        return torch.randn(self.n, rows, columns, generator=self.of_device, device=self.device)


def in_some(draws, images, chosen, change):
    """The images, those where `chosen` (an array [n] of bool) is true in place of them change(draws of theirs, their indices)."""
    if not chosen.any():
        return images
    some = torch.from_numpy(np.flatnonzero(chosen)).to(images.device, non_blocking=True)
    return images.index_copy(0, some, change(Draws(draws.rng, len(some), images.device), some))


def looked_up(table, indices):
    """table [n, entries] at indices [n, rows, columns]: of each image its own row."""
    return table.gather(1, indices.flatten(1)).view(indices.shape)


def blurred(images, sigma_rows, sigma_columns=None):
    """Gaussian filter; standard deviations in pixels [n, 1, 1], 0 leaves an image as it is."""
    n = len(images)
    offsets = torch.arange(-REACH, REACH + 1, device=images.device)
    padded = F.pad(images[None], (REACH,) * 4, mode='replicate')
    for sigma, shape in ((sigma_rows, (n, 1, -1, 1)), (sigma_rows if sigma_columns is None else sigma_columns, (n, 1, 1, -1))):
        weights = torch.exp(-0.5 * (offsets / sigma.view(n, 1).clamp(min=1e-3)) ** 2)
        padded = F.conv2d(padded, (weights / weights.sum(1, keepdim=True)).view(shape), groups=n)
    return padded[0]


def percentile(images, percent):
    """[n, 1, 1], `percent` a number or [n, 1, 1]. Of every other row and column: as good here, and a quarter of the sorting."""
    ordered = images[:, ::2, ::2].flatten(1).sort(1).values
    place = (images.new_zeros(len(images), 1, 1) + percent) * ((ordered.shape[1] - 1) / 100)
    return ordered.gather(1, place[:, :, 0].round().long())[:, :, None]


def normalised(images):
    """structures.normalise of each."""
    bright = (images > 0.1 * percentile(images, 99)).float()
    mean = (images * bright).sum((1, 2), keepdim=True) / bright.sum((1, 2), keepdim=True).clamp(min=1)
    return (images / mean.clamp(min=1e-9)).clamp(0, BRIGHTEST)


def normalised_ct(hounsfield):
    """structures.normalise_ct of each."""
    return ((hounsfield + 200) / 400).clamp(0, BRIGHTEST)
