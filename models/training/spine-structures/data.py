"""What the network learns from: simulated slices in any contrast and real ones, as a scanner might deliver them.

A sample is an image [rows, columns] as the network takes it and the set of classes that each pixel may be (structures.ALLOWED).

Simulated (../synthesis/paint.ts): the painted contrasts, CT, other spin echoes of the painted tissues, and contrasts that no
sequence has: random mixtures of the tissues' parameters with a random brightness a structure (SynthSeg: Billot et al. 2023, doi
10.1016/j.media.2023.102789). Partial volumes stay, since the parameters are painted with them.
Real: brightness curves, and other brightness of the labelled structures.
Both: another pixel size, turns, stretches, shading, saturation bands, dark voids, blur, ringing, noise, gamma, a part of the field of view.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

import real
from structures import BELOW, CANAL, ELSEWHERE, INDEX, LAST_PRESACRAL, NOMINAL_MM, UNKNOWN, VERTEBRA, classes_of, normalise, normalise_ct

SIZE = 256
PIXEL_MM = (0.5, 1.2)
AXIAL_SHARE = 0.45
PAINTED = ('t1w', 't2w', 'stir', 't2fs')
TISSUE = ('protonDensity', 't1Ms', 't2Ms', 'fatFraction')
LOOKED_AT_EVERY = 40


class Simulated:
    """Slices of the patients in folders whose seeds `keep` takes; classes are made once and kept in memory, in `classes` where
    another one's are gone on with."""

    def __init__(self, folders, keep, classes=None):
        self.slices, self.by_orientation = [], dict(sagittal=[], axial=[])
        for folder in folders:
            for about in sorted(pathlib.Path(folder).glob('*.json'), key=lambda path: int(path.stem)):
                patient = json.loads(about.read_text())
                if not keep(patient['seed']):
                    continue
                n, names = patient['matrix'], list(patient['channels'])
                stored = np.memmap(about.with_suffix('.bin'), np.int16, 'r').reshape(-1, len(names), n, n)
                for index, sample in enumerate(patient['samples']):
                    sample['index'] = index
                    self.by_orientation[sample['orientation']].append(len(self.slices))
                    self.slices.append((patient, sample, stored[index], names))
        self.classes = {} if classes is None else classes

    def __len__(self):
        return len(self.slices)

    def image(self, index, name):
        patient, _, stored, names = self.slices[index]
        return stored[names.index(name)].astype(np.float32) / np.float32(patient['channels'][name])

    def labels(self, index):
        """Classes, cached."""
        patient, sample, stored, names = self.slices[index]
        key = patient['seed'], sample['index']
        if key not in self.classes:
            self.classes[key] = classes_of(stored[names.index('label')], sample['pixelMm'])
        return self.classes[key]


class Real:
    """Slices of real.py with the cases that `keep` takes: from a folder, or as one file that `real.pack` has written."""

    def __init__(self, data, keep):
        if pathlib.Path(data).is_file():
            self.slices, self.stored = real.unpack(data, keep)
        else:
            self.slices = [one for one in real.space_slices(data) + real.labelled_slices(data) if keep(one.case)]
            self.stored = [real.stored(one) for one in self.slices]
        # Few T2w slices beside many T2 SPACE ones.
        self.odds = np.array([3.0 if one.series == 't2w' else 1.0 for one in self.slices])
        self.odds /= self.odds.sum()


def spin_echo(rng, maps):
    """A spin echo of tissues with water and fat, sometimes inverted or fat-saturated, of times that nobody need use."""
    density, t1, t2, fat = maps
    tr = np.exp(rng.uniform(np.log(300), np.log(7000)))
    te = np.exp(rng.uniform(np.log(6), np.log(150)))
    inverted = rng.random() < 0.25
    ti = rng.uniform(80, 1200)
    # Fat at about 1.5 T; fat saturation leaves a part of it.
    fat_t1, fat_t2, left = rng.uniform(250, 400), rng.uniform(60, 130), rng.choice([1.0, rng.uniform(0, 0.3)], p=[0.7, 0.3])

    def magnetisation(t1_ms):
        recovered = np.exp(-tr / np.maximum(t1_ms, 20))
        return 1 - 2 * np.exp(-ti / np.maximum(t1_ms, 20)) + recovered if inverted else 1 - recovered

    water = (1 - fat) * magnetisation(t1) * np.exp(-te / np.maximum(t2, 2))
    return np.abs(density * (water + fat * left * magnetisation(np.float32(fat_t1)) * np.exp(-te / fat_t2))).astype(np.float32)


def random_contrast(rng, maps, label, classes):
    """A mixture of parameters with a random brightness a structure, blurred as partial volumes are; air stays dark."""
    density, t1, t2, fat = maps
    parts = (density, 0.5 * np.log(np.maximum(t1, 50) / 800), 0.5 * np.log(np.maximum(t2, 5) / 60), 1.5 * fat)
    image = sum(rng.normal() * part for part in parts)
    # Other muscles and organs have brightnesses of their own.
    groups = np.where((classes == 0) & (label < 64), 16 + label % 64, classes)
    offsets = rng.normal(0, rng.uniform(0.1, 0.7), 96).astype(np.float32)
    if rng.random() < 0.3:
        # Each vertebra its own: metastases, radiation, coils that end.
        groups = groups + 0
        body = (label > 100) & (label <= 100 + LAST_PRESACRAL)
        image = image + np.where(body, rng.normal(0, 0.3, 32).astype(np.float32)[label % 32], 0)
    image = image + ndimage.gaussian_filter(offsets[groups], rng.uniform(0.3, 0.8))
    low = np.percentile(image, rng.uniform(0, 12))
    return (np.maximum(image - low, 0) * np.clip(density / 0.15, 0, 1)).astype(np.float32)


def simulated_image(rng, cases, index, kind=None):
    """Image and whether it is CT."""
    kind = kind or rng.choice(['painted', 'ct', 'echo', 'random'], p=[0.42, 0.1, 0.2, 0.28])
    if kind == 'ct':
        return cases.image(index, 'hounsfield'), True
    if kind == 'painted':
        kind = rng.choice(PAINTED, p=[0.28, 0.34, 0.19, 0.19])
    if kind in PAINTED:
        return np.abs(cases.image(index, kind)), False
    maps = [cases.image(index, name) for name in TISSUE]
    if kind == 'echo':
        return spin_echo(rng, maps), False
    _, _, stored, names = cases.slices[index]
    return random_contrast(rng, maps, stored[names.index('label')], cases.labels(index)), False


def recoloured(rng, image, sets):
    """A real image with another curve of brightness, or other brightness of its structures."""
    top = max(float(np.percentile(image, 99.5)), 1.0)
    image = np.clip(image / top, 0, 1.5)
    chance = rng.random()
    if chance < 0.25:
        knots = np.linspace(0, 1.5, 5)
        rising = np.concatenate(([0], np.cumsum(rng.uniform(0.05, 1, 4))))
        image = np.interp(image, knots, rising / rising[-1]).astype(np.float32)
    elif chance < 0.4:
        # Dark where it was bright, but for air.
        turned = (1.1 - np.minimum(image, 1.1)) * np.clip(image / rng.uniform(0.05, 0.15), 0, 1)
        image = turned.astype(np.float32)
    if rng.random() < 0.45:
        gain = np.ones(image.shape, np.float32)
        groups = (sets == CANAL, sets == VERTEBRA, sets == INDEX['disc'], (sets == ELSEWHERE) | (sets == BELOW))
        for mask, spread in zip(groups, (0.7, 0.35, 0.4, 0.25)):
            gain[mask] = np.exp(rng.normal(0, spread))
        gain[sets == UNKNOWN] = 0
        known = ndimage.gaussian_filter((sets != UNKNOWN).astype(np.float32), 1.5)
        blurred = ndimage.gaussian_filter(gain, 1.5) / np.maximum(known, 1e-3)
        image = image * np.where(known > 0.02, blurred, 1)
    return image.astype(np.float32)


def placed(rng, image, sets, pixel_mm, orientation, size=SIZE):
    """Turned, stretched, resampled to a pixel size about the nominal one, and cut: image, sets."""
    wanted = np.clip(NOMINAL_MM[orientation] * np.exp(rng.normal(0, 0.22)), *PIXEL_MM)
    stretch = np.exp(rng.normal(0, 0.06))
    step = wanted / pixel_mm * np.array([stretch, 1 / stretch])
    angle = np.deg2rad(rng.normal(0, 7))
    if step.max() > 1.15:
        image = ndimage.gaussian_filter(image, 0.4 * np.sqrt(np.maximum(step**2 - 1, 0)), truncate=3)
    rows, columns = image.shape
    mirrored = -1 if orientation == 'axial' and rng.random() < 0.5 else 1
    # The middle of what is cut out lies where labels are, mostly.
    spare = np.maximum(np.array([rows, columns]) - size * step, 0.1 * np.array([rows, columns]))
    centre = (rng.random(2) - 0.5) * spare + np.array([rows, columns]) / 2 - 0.5
    if rng.random() < 0.8:
        labelled = np.argwhere((sets != 0) & (sets != ELSEWHERE) & (sets != BELOW) & (sets != UNKNOWN))
        if len(labelled):
            middle = labelled.mean(0)
            centre = middle + (rng.random(2) - 0.5) * np.minimum(spare, 0.55 * size * step)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) * step * np.array([1, mirrored])
    # As grid_sample has it: x = columns first, -1 to 1 from edge to edge.
    theta = np.array([
        [matrix[1, 1] * size / columns, matrix[1, 0] * size / columns, 2 * (centre[1] + 0.5) / columns - 1],
        [matrix[0, 1] * size / rows, matrix[0, 0] * size / rows, 2 * (centre[0] + 0.5) / rows - 1],
    ])
    grid = F.affine_grid(torch.tensor(theta, dtype=torch.float32)[None], (1, 1, size, size), align_corners=False)
    least = float(image.min())
    warped = F.grid_sample(torch.from_numpy(image - least)[None, None], grid, align_corners=False)[0, 0].numpy() + least
    # Beyond the field of view nothing is known.
    chosen = F.grid_sample(torch.from_numpy(sets.astype(np.float32) + 1)[None, None], grid, 'nearest', align_corners=False)[0, 0].numpy()
    return warped, np.where(chosen < 0.5, 0, chosen - 1).astype(np.uint8)


def smooth(rng, size, knots, spread):
    """A smooth random field."""
    return F.interpolate(torch.from_numpy(rng.normal(0, spread, (1, 1, knots, knots)).astype(np.float32)), size=(size, size), mode='bicubic',
                         align_corners=True)[0, 0].numpy()


def delivered(rng, image, orientation):
    """An MR magnitude with what coils, saturation, metal, sampling and noise do to it."""
    size = len(image)
    line = np.linspace(-1, 1, size, dtype=np.float32)
    across, down = line[None, :], line[:, None]
    image = image / max(float(np.percentile(image, 99)), 1e-6)
    behind = across if orientation == 'sagittal' else down
    if rng.random() < 0.8:
        field = rng.uniform(0, 1.3) * behind + smooth(rng, size, 4, rng.uniform(0, 0.35))
        image = image * np.exp(field)
    if rng.random() < 0.2:
        # A saturation band in front.
        edge = rng.uniform(-1.0, 0.0) + rng.normal(0, 0.15) * (down if orientation == 'sagittal' else across)
        image = image * (1 - rng.uniform(0.4, 0.95) * 0.5 * (1 - np.tanh((behind - edge) * rng.uniform(8, 25))))
    if rng.random() < 0.12:
        # Coils that end above and below.
        image = image * np.exp(-rng.uniform(0.5, 3) * np.maximum(np.abs(down) - rng.uniform(0.4, 0.9), 0))
    if rng.random() < 0.08:
        for _ in range(rng.integers(1, 4)):
            y, x = rng.uniform(-0.8, 0.8, 2)
            radius = rng.uniform(0.03, 0.14)
            distance = np.hypot((down - y) * rng.uniform(0.6, 1.6), across - x) / radius
            image = image * (1 / (1 + np.exp(-(distance - 1) * 8))) + 0.8 * np.exp(-((distance - 1.15) ** 2) * 40) * (rng.random() < 0.5)
    chance = rng.random()
    if chance < 0.35:
        image = ndimage.gaussian_filter(image, rng.uniform(0, 1.0, 2), truncate=3)
    elif chance < 0.5:
        spectrum = np.fft.rfft2(image)
        keep = rng.uniform(0.5, 1, 2)
        spectrum[np.abs(np.fft.fftfreq(size)) > keep[0] / 2] = 0
        spectrum[:, np.fft.rfftfreq(size) > keep[1] / 2] = 0
        image = np.abs(np.fft.irfft2(spectrum, (size, size)))
    noise = np.exp(rng.uniform(np.log(0.004), np.log(0.09)))
    real_part, imaginary = rng.standard_normal((2, size, size), np.float32)
    image = np.hypot(image + noise * real_part, noise * imaginary)
    if rng.random() < 0.4:
        image = image ** np.exp(rng.normal(0, 0.25))
    return image


def as_delivered_ct(rng, hounsfield):
    size = len(hounsfield)
    hounsfield = ndimage.gaussian_filter(hounsfield, rng.uniform(0, 0.9), truncate=3)
    grain = ndimage.gaussian_filter(rng.standard_normal((size, size), np.float32), rng.uniform(0, 1.0))
    grain = grain / grain.std() * np.exp(rng.uniform(np.log(4), np.log(70)))
    return hounsfield * rng.uniform(0.9, 1.1) + rng.normal(0, 12) + grain


def simulated_sample(rng, cases, orientation=None, kind=None):
    orientation = orientation or ('axial' if rng.random() < AXIAL_SHARE else 'sagittal')
    index = int(rng.choice(cases.by_orientation[orientation]))
    image, ct = simulated_image(rng, cases, index, kind)
    image, sets = placed(rng, image, cases.labels(index), cases.slices[index][1]['pixelMm'], orientation)
    image = normalise_ct(as_delivered_ct(rng, image)) if ct else normalise(delivered(rng, image, orientation))
    return image, sets


def real_sample(rng, cases):
    index = int(rng.choice(len(cases.slices), p=cases.odds))
    image, sets = cases.stored[index]
    image, sets = placed(rng, recoloured(rng, image, sets), sets, real.STORED_MM, 'sagittal')
    if rng.random() < 0.85:
        image = delivered(rng, image, 'sagittal')
    return normalise(image), sets


def batch(rng, size, simulated, real_cases=None, real_share=0.0):
    """Images [size, 1, SIZE, SIZE] and sets [size, SIZE, SIZE], real ones drawn with `real_share`."""
    made = [
        real_sample(rng, real_cases) if real_share and rng.random() < real_share else simulated_sample(rng, simulated) for _ in range(size)
    ]
    return torch.from_numpy(np.stack([image for image, _ in made])[:, None]), torch.from_numpy(np.stack([sets for _, sets in made]).astype(np.int64))
