"""Faults planted into pairs: what the gate has to find. Each is made of painted slices, before noise, shading and gains.

    blob      one round blob of 8 to 16 mm, 35 to 80 % brighter or darker, in tissue, in one of the two images
    patch     30 to 45 mm square of one image taken from elsewhere in it
    patient   T2w of another patient, same plane
    shift     T1w shifted by 4 pixels in a direction
    echoTime  TE of T2w told 15 ms too long or too short
"""

import copy

import numpy as np
from scipy import ndimage

KINDS = ('blob', 'patch', 'patient', 'shift', 'echoTime')
SHIFT_PIXELS = 4.0
ECHO_TIME_MS = 15.0
# From slice to slice of a series, in thicknesses (paint.ts).
SLICE_STEP = 1.1


class Faulty:
    """One slice of `cases` with a fault (or, of kind None, with what is put into `changed`), read as data.Cases are; `index` stays valid for it only."""

    def __init__(self, cases, index, kind, rng):
        patient, sample, stored = cases.slices[index]
        sample = copy.deepcopy(sample)
        self.cases, self.index = cases, index
        self.slices = {index: (patient, sample, stored)}
        self.changed = {}
        if kind is not None:
            plant = getattr(self, kind)
            plant(sample, rng)

    def image(self, index, name):
        return self.changed[name] if name in self.changed else self.cases.image(index, name)

    def somewhere(self, rng, margin):
        """A random place in tissue that is at least `margin` pixels from the edge of the image."""
        tissue = self.cases.image(self.index, 't2w') > 0.03
        tissue[:margin] = tissue[-margin:] = False
        tissue[:, :margin] = tissue[:, -margin:] = False
        rows, columns = np.nonzero(tissue)
        k = rng.integers(len(rows))
        return rows[k], columns[k]

    def blob(self, sample, rng):
        name = str(rng.choice(['t1w', 't2w']))
        image = self.cases.image(self.index, name)
        row, column = self.somewhere(rng, 24)
        radius = rng.uniform(8, 16) / 2 / sample['pixelMm']
        change = rng.uniform(0.35, 0.8)
        self.blob_at = dict(row=row, column=column, radius=radius, change=change, brighter=rng.random() < 0.5)
        self.changed[name] = with_blob(image, **self.blob_at)

    def patch(self, sample, rng):
        name = str(rng.choice(['t1w', 't2w']))
        image = self.cases.image(self.index, name)
        half = int(rng.uniform(30, 45) / 2 / sample['pixelMm'])
        row, column = self.somewhere(rng, half + 2)
        for _ in range(100):
            other_row, other_column = self.somewhere(rng, half + 2)
            if max(abs(row - other_row), abs(column - other_column)) > half:
                break
        image = image.copy()
        source = image[other_row - half : other_row + half, other_column - half : other_column + half].copy()
        image[row - half : row + half, column - half : column + half] = source
        self.changed[name] = image

    def patient(self, sample, rng):
        here = self.cases.slices[self.index]
        alike = [
            k
            for k, (patient, other, _) in enumerate(self.cases.slices)
            if patient['seed'] != here[0]['seed'] and other['orientation'] == sample['orientation'] and patient['region'] == here[0]['region']
        ]
        self.changed['t2w'] = self.cases.image(int(rng.choice(alike)), 't2w')

    def shift(self, sample, rng):
        direction = rng.uniform(0, 2 * np.pi)
        offset = SHIFT_PIXELS * np.array([np.sin(direction), np.cos(direction)])
        self.changed['t1w'] = ndimage.shift(self.cases.image(self.index, 't1w'), offset, order=1, mode='nearest')

    def echoTime(self, sample, rng):
        sample['sequences']['t2w']['teMs'] += float(rng.choice([-ECHO_TIME_MS, ECHO_TIME_MS]))


def with_blob(image, row, column, radius, change, brighter):
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    share = np.clip((radius - np.hypot(y - row, x - column)) / 1.5 + 0.5, 0, 1)
    if not brighter:
        return (image * (1 - share * change)).astype(np.float32)
    # By a share of what tissue around shows, so that dark places get a blob too.
    around = np.percentile(image[image > 0.02], 50)
    return (image + share * change * np.maximum(image, around)).astype(np.float32)
