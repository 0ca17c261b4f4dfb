"""Clean images for training, validation and test, split by patient, in one .npz each.

    python3 data.py --data DATA --simulated SIMULATED --out CACHE

Every image is divided by the mean of its foreground (pixels above 15 % of the 99th percentile), so that SNR is one
number: SNR = 1 / noise. Real slices are scaled down with anti-aliasing by at least 1.7, which averages their own
noise and undoes the interpolation of the scanner; `ownSnr` tells what is left of it, as a lower bound (detail counts
as noise), and training does not ask for less noise than that.
"""

import argparse
import json
import pathlib
import re

import nibabel
import numpy as np
from skimage import io, transform

HERE = pathlib.Path(__file__).parent
SPLIT = json.loads((HERE / 'split.json').read_text())


def foreground(image):
    return image > 0.15 * np.percentile(image, 99)


def own_snr(image):
    """Mean of the foreground over the noise that the diagonal Haar coefficients of the foreground let one believe."""
    even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    diagonal = (even[::2, ::2] - even[1::2, ::2] - even[::2, 1::2] + even[1::2, 1::2]) / 2
    inside = foreground(even)
    noise = np.median(np.abs(diagonal[inside[::2, ::2]])) / 0.6745
    return float(even[inside].mean() / max(noise, 1e-6))


def cropped(image):
    """Without the empty border."""
    rows, columns = np.where(foreground(image))
    return image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def scaled(image, factor):
    """Smaller by `factor`, anti-aliased, mean of the foreground 1."""
    if factor > 1:
        shape = [int(round(n / factor)) for n in image.shape]
        image = transform.resize(image, shape, order=1, anti_aliasing=True)
    return (image / image[foreground(image)].mean()).astype(np.float32)


def grey(path):
    image = io.imread(path).astype(np.float32)
    return image[..., :3].mean(-1) if image.ndim == 3 else image


def case_of(name):
    """Case number of SPIDER: the patient."""
    number = int(re.match(r'\d+', name).group())
    return number if number < 1000 else number - 1000


def part_of(case):
    for part in ('validation', 'test'):
        if case in SPLIT['cases'][part]:
            return part
    return 'training'


def spider(data, parts=('training', 'validation', 'test')):
    """Yields (part, group, name, image as it is on disk without its empty border)."""
    for folder in ('spider-t2space', 'spider-t2w-labels'):
        for path in sorted((data / 'spine-mr' / folder / 'images').iterdir()):
            part = part_of(case_of(path.name))
            if part in parts:
                yield part, folder, path.name, cropped(grey(path))


def brain(path):
    """Every fourth slice of the three planes."""
    volume = np.asarray(nibabel.load(path).dataobj, np.float32)
    for axis in range(3):
        n = volume.shape[axis]
        for index in range(int(0.25 * n), int(0.75 * n), 4):
            yield f'{path.name} axis {axis} slice {index}', np.take(volume, index, axis)


def simulated(folder):
    """Slices of a noise-free simulated series: (group, name, image)."""
    for path in sorted(folder.glob('*/*/images*.nii.gz')):
        if path.parent.parent.name.startswith('part'):
            continue
        volume = np.asarray(nibabel.load(path).dataobj, np.float32)
        volume = volume.reshape(*volume.shape[:2], -1)
        for index in range(volume.shape[2]):
            yield path.parent.parent.name, index, volume[:, :, index].T


def collect(data, simulations):
    parts = {'training': [], 'validation': [], 'test': []}

    def add(part, group, name, image, factor, limited=True):
        image = scaled(image, factor)
        if min(image.shape) >= 128:
            parts[part].append((group, name, factor, own_snr(image) if limited else 1000.0, image))

    for part, group, name, image in spider(data):
        for factor in (2, 3) if min(image.shape) > 400 else (1.7,):
            add(part, group, name, image, factor)
    for part, path in (
        ('training', 'spm152/spm152.nii.gz'),
        ('test', 'cit168-t1w-brain-1mm/CIT168toMNI152-2009c_T1w_brain.nii.gz'),
    ):
        for name, image in brain(data / 'mr-brain' / path):
            add(part, 'brain', name, image, 1, limited=False)
    for series, index, image in simulated(simulations):
        seed = int(series.split('-')[0])
        part = 'training' if seed < 190 else 'validation' if seed < 200 else 'test'
        group = 'sim ' + '-'.join(series.split('-')[1:])
        for factor in (1, 1.6) if part == 'training' else (1,):
            add(part, group, f'{series} slice {index}', image, factor, limited=False)
    return parts


def save(path, images):
    columns = list(zip(*images))
    np.savez(
        path,
        groups=np.array(columns[0]),
        names=np.array(columns[1]),
        factors=np.array(columns[2]),
        own_snr=np.array(columns[3], np.float32),
        shapes=np.array([i.shape for i in columns[4]]),
        pixels=np.concatenate([i.ravel() for i in columns[4]]).astype(np.float16),
    )


def load(path):
    """List of dictionaries: group, name, factor, own_snr, image [rows, columns] float32."""
    with np.load(path) as file:
        stored = {key: file[key] for key in file}
    ends = np.cumsum(stored['shapes'].prod(1))
    return [
        dict(
            group=str(g),
            name=str(n),
            factor=float(f),
            own_snr=float(o),
            image=stored['pixels'][end - s.prod() : end].reshape(s).astype(np.float32),
        )
        for g, n, f, o, s, end in zip(
            stored['groups'], stored['names'], stored['factors'], stored['own_snr'], stored['shapes'], ends
        )
    ]


class Images:
    """Clean images to draw from."""

    def __init__(self, images):
        self.images = images

    def pick(self, rng):
        """(image, its own SNR)."""
        one = self.images[rng.integers(len(self.images))]
        return one['image'], one['own_snr']


class Painted:
    """Slices of simulated patients (../synthesis/paint.ts) in the contrasts of spine MR."""

    def __init__(self, folders):
        self.patients = sorted(path for folder in folders for path in pathlib.Path(folder).glob('*.json'))

    def pick(self, rng):
        path = self.patients[rng.integers(len(self.patients))]
        patient = json.loads(path.read_text())
        n, names = patient['matrix'], list(patient['channels'])
        stored = np.memmap(path.with_suffix('.bin'), np.int16, 'r').reshape(-1, len(names), n, n)
        image = np.abs(stored[rng.integers(len(stored)), names.index(str(rng.choice(['t1w', 't2w', 'stir', 't2fs'])))].astype(np.float32))
        return image / max(image[foreground(image)].mean(), 1.0), 1000.0


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=pathlib.Path, required=True)
    parser.add_argument('--simulated', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for part, images in collect(options.data, options.simulated).items():
        save(options.out / f'{part}.npz', images)
        groups = sorted({i[0] for i in images})
        print(
            part,
            len(images),
            {
                g: (sum(i[0] == g for i in images), round(float(np.median([i[3] for i in images if i[0] == g]))))
                for g in groups
            },
        )
