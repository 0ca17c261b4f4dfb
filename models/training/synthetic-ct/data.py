"""Slices that the network learns from, and those that its interval is calibrated by: data.py OUT CASES... [--rounds N]

Each slice of the painted cases (../synthesis/paint.ts, labelled.py) as a scanner would deliver it, with other noise,
shading, shifts and blur each time (../synthesis/data.py), beside its Hounsfield units. Training makes them as it goes; those of
calibration are written as arrays that are read from the disk, N of each:

  images [slice, 4, 288, 288] float16, exam [slice, 18] float32: what the maps network reads
  maps [slice, 4, 288, 288] float16: the true ones (ln PD, ln T1, ln T2, logit fat fraction)
  hounsfield [slice, 288, 288] int16, label [slice, 288, 288] int16
  about.json: seed, region, orientation and pixel size of each slice

Every third slice is made as coarse as a CT of 3 mm first, in everything: partial volumes of thicker cortices are learned too.
What the maps network says is not here: train.py asks it, since it learns at the same time.
"""
import argparse
import json
from pathlib import Path
import numpy as np
import torch
from scipy import ndimage
from sibling import synthesis

painted, signals = synthesis('data'), synthesis('signals')
SEED = 20261127
MATRIX = painted.MATRIX


class Coarser(painted.Cases):
    """The same slices, blurred by `sigma` pixels before anything is measured."""

    sigma = 0.0

    def image(self, index, name):
        image = super().image(index, name)
        return ndimage.gaussian_filter(image, self.sigma, truncate=3) if self.sigma > 0 and name not in ('label', 'lesion') else image


def true_maps(truth):
    at = lambda name: torch.from_numpy(truth[painted.TRUTH.index(name)])[None]
    return signals.maps_of(*map(at, ('protonDensity', 't1Ms', 't2Ms', 'fatFraction')))[0].numpy()


def write(out, folders, rounds, seed=SEED, options=painted.Options(lesions=False)):
    """The arrays named above; `rounds` for each folder."""
    sources = [(Coarser(folder), n) for folder, n in zip(folders, rounds)]
    total = sum(len(cases) * n for cases, n in sources)
    out.mkdir(parents=True, exist_ok=True)
    open_array = lambda name, kind, *shape: np.lib.format.open_memmap(out / f'{name}.npy', 'w+', kind, (total, *shape))
    images, exam = open_array('images', np.float16, 4, MATRIX, MATRIX), open_array('exam', np.float32, painted.EXAM)
    maps = open_array('maps', np.float16, 4, MATRIX, MATRIX)
    hounsfield, label = open_array('hounsfield', np.int16, MATRIX, MATRIX), open_array('label', np.int16, MATRIX, MATRIX)
    about, row = [], 0
    for cases, n in sources:
        for repeat in range(n):
            for index in range(len(cases)):
                patient, sample, _ = cases.slices[index]
                rng = np.random.default_rng((seed, patient['seed'], index, repeat))
                images[row], exam[row], maps[row], hu = delivered(rng, cases, index, options)
                hounsfield[row] = np.round(hu)
                label[row] = np.round(cases.image(index, 'label'))
                about.append(dict(region=patient['region'], seed=patient['seed'], orientation=sample['orientation'], pixelMm=sample['pixelMm']))
                row += 1
    (out / 'about.json').write_text(json.dumps(about))


def windows(rng, arrays, hounsfield, size):
    """The best of three windows of `size` by how much bone it holds, half of them mirrored, of arrays [..., rows, columns]."""
    places = rng.integers(0, MATRIX - size + 1, (3, 2))
    held = [np.count_nonzero(hounsfield[y : y + size : 8, x : x + size : 8] > 150) for y, x in places]
    y, x = places[int(np.argmax(held))]
    step = -1 if rng.random() < 0.5 else 1
    return [array[..., y : y + size, x : x + size][..., ::step].astype(np.float32) for array in arrays]


def delivered(rng, cases, index, options=painted.Options(lesions=False)):
    """A slice as a scanner would deliver it: images, exam, true maps, Hounsfield units; a third of them as coarse as a CT of 3 mm."""
    cases.sigma = rng.uniform(0.3, 1.4) if rng.random() < 1 / 3 else 0.0
    one = painted.make(cases, index, rng, options)
    return np.clip(one['images'], 0, 60), one['exam'], true_maps(one['truth']), np.clip(cases.image(index, 'hounsfield'), -1024, 3071)


def crops(rng, cases, size, per_slice=4):
    """Windows of one slice, drawn evenly: images, exam, maps, hounsfield, each [per_slice, ...]."""
    images, exam, maps, hounsfield = delivered(rng, cases, int(rng.integers(len(cases))))
    found = []
    for _ in range(per_slice):
        cut = windows(rng, (images, maps, hounsfield), hounsfield, size)
        found.append((cut[0], exam, cut[1], cut[2]))
    return found


class Bank:
    def __init__(self, folder):
        read = lambda name: np.load(Path(folder) / f'{name}.npy', mmap_mode='r')
        self.images, self.exam, self.maps, self.hounsfield, self.label = map(read, ('images', 'exam', 'maps', 'hounsfield', 'label'))
        self.about = json.loads((Path(folder) / 'about.json').read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('cases', nargs='+', help='folders of painted cases')
    parser.add_argument('--rounds', nargs='+', type=int, help='how often each folder is gone through; once unless given')
    options = parser.parse_args()
    write(options.out, options.cases, options.rounds or [1] * len(options.cases))


if __name__ == '__main__':
    main()
