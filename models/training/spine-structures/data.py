"""What the network learns from: simulated slices in any contrast and real ones, as a scanner might deliver them.

A sample is an image [SIZE, SIZE] as the network takes it and the set of classes that each pixel may be (structures.ALLOWED).

Simulated (../synthesis/paint.ts): the painted contrasts, CT, other spin echoes of the painted tissues, and contrasts that no sequence
has (contrasts.py). Partial volumes stay, since the parameters are painted with them.
Real: brightness curves, and other brightness of the labelled structures.
Both: another pixel size, turns, stretches, shading, saturation bands, dark voids, blur, ringing, noise, gamma, a part of the field of view
(delivery.py).

A batch is made at once, on the device that learns: slices lie there, on a GPU in its memory, else in their files.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import real
from batched import Draws, in_some, normalised, normalised_ct
from contrasts import random_contrast, recoloured, spin_echo
from delivery import delivered, delivered_ct, placed
from structures import BELOW, ELSEWHERE, UNKNOWN, classes_of

AXIAL_SHARE = 0.45
PAINTED = ('t1w', 't2w', 'stir', 't2fs')
TISSUE = ('protonDensity', 't1Ms', 't2Ms', 'fatFraction')
KINDS = {'painted': 0.42, 'ct': 0.1, 'echo': 0.2, 'random': 0.28}
PAINTED_SHARES = (0.28, 0.34, 0.19, 0.19)
LOOKED_AT_EVERY = 40


def middle_of(sets):
    """Row and column that what is labelled has on the mean, NaN where nothing is."""
    labelled = (sets != 0) & (sets != ELSEWHERE) & (sets != BELOW) & (sets != UNKNOWN)
    return labelled.nonzero().float().mean(0).tolist()


class Simulated:
    """Slices of the patients in folders whose seeds `keep` takes, on a device; a folder that is named twice is drawn from twice as often."""

    def __init__(self, folders, keep, device='cpu'):
        self.folders, self.keep, self.device = [pathlib.Path(folder) for folder in folders], keep, torch.device(device)
        self.slices, self.of_patient, self.taken, self.known = [], {}, set(), {}
        self.by_orientation = dict(sagittal=[], axial=[])
        self.read()

    def read(self):
        """Takes up the patients that have been painted since."""
        for place, folder in enumerate(self.folders):
            for about in sorted(folder.glob('*.json'), key=lambda path: int(path.stem)):
                if (place, about) in self.taken:
                    continue
                self.taken.add((place, about))
                if about not in self.of_patient:
                    self.of_patient[about] = self.slices_of(about)
                for index in self.of_patient[about]:
                    self.by_orientation[self.slices[index][1]['orientation']].append(index)

    def slices_of(self, about):
        """Indices of a patient's slices."""
        patient = json.loads(about.read_text())
        if not self.keep(patient['seed']):
            return []
        n, names = patient['matrix'], list(patient['channels'])
        stored = np.memmap(about.with_suffix('.bin'), np.int16, 'c').reshape(-1, len(names), n, n)
        first = len(self.slices)
        self.slices += [(patient, sample, one, names) for sample, one in zip(patient['samples'], torch.from_numpy(stored).to(self.device))]
        return list(range(first, len(self.slices)))

    def __len__(self):
        return len(self.slices)

    def image(self, index, name):
        """Of one slice, as an array."""
        patient, _, stored, names = self.slices[index]
        return stored[names.index(name)].cpu().numpy().astype(np.float32) / np.float32(patient['channels'][name])

    def labels(self, index):
        """Classes of one slice, as an array."""
        return self.classes(index)[0].cpu().numpy()

    def classes(self, index):
        """Classes of a slice and their middle, made once."""
        if index not in self.known:
            _, sample, stored, names = self.slices[index]
            classes = classes_of(stored[names.index('label')], sample['pixelMm'])
            self.known[index] = classes, middle_of(classes)
        return self.known[index]

    def codes(self, indices):
        """Label codes [n, rows, columns]."""
        return torch.stack([self.slices[index][2][self.slices[index][3].index('label')] for index in indices]).long()

    def images(self, draws, indices, names):
        """Of each slice one channel [n, rows, columns]."""
        stored = torch.stack([self.slices[index][2][self.slices[index][3].index(name)] for index, name in zip(indices, names)])
        return stored / draws.each([self.slices[index][0]['channels'][name] for index, name in zip(indices, names)])


class Real:
    """Slices of real.py with the cases that `keep` takes, on a device: from a folder, or as one file that `real.pack` has written."""

    def __init__(self, data, keep, device='cpu'):
        if pathlib.Path(data).is_file():
            self.slices, stored = real.unpack(data, keep)
        else:
            self.slices = [one for one in real.space_slices(data) + real.labelled_slices(data) if keep(one.case)]
            stored = [real.stored(one) for one in self.slices]
        # Over their top, so that brightness means the same in all; filled up to one size, so that they stack.
        self.shapes = np.array([sets.shape for _, sets in stored])
        rows, columns = self.shapes.max(0)
        filled = lambda array, dtype: F.pad(torch.from_numpy(array).to(dtype), (0, int(columns - array.shape[1]), 0, int(rows - array.shape[0])))
        over_top = [filled(image / max(np.percentile(image, 99.5), 1), torch.float32) for image, _ in stored]
        self.images = torch.stack(over_top).to(device)
        self.sets = torch.stack([filled(sets, torch.uint8) for _, sets in stored]).to(device)
        self.middles = np.array([middle_of(torch.from_numpy(sets)) for _, sets in stored])
        # Few T2w slices beside many T2 SPACE ones.
        odds = np.array([3.0 if one.series == 't2w' else 1.0 for one in self.slices])
        self.odds = odds / odds.sum()


def simulated_images(draws, cases, indices, kinds):
    """[n, rows, columns] of the kinds of KINDS or PAINTED."""
    made = {}
    for kind in sorted(set(kinds)):
        where = [place for place, one in enumerate(kinds) if one == kind]
        chosen, part = [indices[place] for place in where], Draws(draws.rng, len(where), draws.device)
        if kind in ('echo', 'random'):
            tissue = [cases.images(part, chosen, [name] * len(chosen)) for name in TISSUE]
            if kind == 'random':
                images = random_contrast(part, *tissue, cases.codes(chosen), torch.stack([cases.classes(index)[0] for index in chosen]).long())
            else:
                images = spin_echo(part, *tissue)
        elif kind == 'ct':
            images = cases.images(part, chosen, ['hounsfield'] * len(chosen))
        else:
            images = cases.images(part, chosen, draws.rng.choice(PAINTED, len(chosen), p=PAINTED_SHARES) if kind == 'painted' else [kind] * len(chosen)).abs()
        made.update(zip(where, images))
    return torch.stack([made[place] for place in range(len(kinds))])


def simulated_samples(rng, cases, orientations, kinds):
    """Images and sets [n, SIZE, SIZE] of slices of these orientations in these kinds of contrast."""
    indices = [int(rng.choice(cases.by_orientation[orientation])) for orientation in orientations]
    draws = Draws(rng, len(indices), cases.device)
    images = simulated_images(draws, cases, indices, kinds)
    classes, middles = zip(*(cases.classes(index) for index in indices))
    axial = np.array([orientation == 'axial' for orientation in orientations])
    pixel_mm = np.array([cases.slices[index][1]['pixelMm'] for index in indices])
    shapes = np.array([images.shape[1:]] * len(indices))
    images, sets = placed(draws, images, torch.stack(classes), pixel_mm, axial, shapes, np.array(middles))
    ct = np.array([kind == 'ct' for kind in kinds])
    made = normalised(delivered(draws, images.clamp(min=0), axial))
    return in_some(draws, made, ct, lambda part, some: normalised_ct(delivered_ct(part, images[some]))), sets


def real_samples(rng, cases, n):
    """Images and sets [n, SIZE, SIZE] of real slices."""
    indices = rng.choice(len(cases.slices), n, p=cases.odds)
    draws, axial = Draws(rng, n, cases.images.device), np.zeros(n, bool)
    chosen = torch.from_numpy(indices).to(cases.images.device, non_blocking=True)
    images, sets = placed(draws, cases.images[chosen], cases.sets[chosen], np.full(n, real.STORED_MM), axial, cases.shapes[indices], cases.middles[indices])
    images = recoloured(draws, images, sets)
    return normalised(torch.where(draws.chance(0.85) > 0, delivered(draws, images, axial), images)), sets


def batch(rng, size, simulated, real_cases=None, real_share=0.0):
    """Images [size, 1, SIZE, SIZE], sets [size, SIZE, SIZE], and how many, the last ones, are real, drawn with `real_share`."""
    n_real = int(rng.binomial(size, real_share))
    orientations = np.where(rng.random(size - n_real) < AXIAL_SHARE, 'axial', 'sagittal')
    kinds = rng.choice(list(KINDS), size - n_real, p=list(KINDS.values()))
    samples = [simulated_samples(rng, simulated, orientations, kinds)] if n_real < size else []
    samples += [real_samples(rng, real_cases, n_real)] if n_real else []
    images, sets = (torch.cat(parts) for parts in zip(*samples))
    return images[:, None], sets, n_real
