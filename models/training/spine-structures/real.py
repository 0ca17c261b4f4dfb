"""Real slices and what is known of their pixels: SPIDER (van der Graaf et al. 2024, doi 10.1038/s41597-024-03090-w) as 8-bit images.

    spider-t2space      vertebra, disc and canal; T2 SPACE, 0.47 mm pixels as published
    spider-t2w-labels   vertebrae and discs by level, canal; T2w; spacing lost

Spacing that was lost is that which makes the distance of neighbouring discs or vertebrae DISC_PITCH_MM. Masks cover marrow, discs
and sac, without the dark outlines between them, which are part of what they outline: UNKNOWN.

    python3 real.py DATA PACKED.npz     # for a machine that DATA is not on; PACKED.npz serves as --data of train.py
"""

import io
import json
import pathlib
import re
import sys

import numpy as np
from PIL import Image
from scipy import ndimage

from structures import BELOW, CANAL, ELSEWHERE, INDEX, UNKNOWN, VERTEBRA

SPACE_MM = 0.47
# Heights of lumbar bodies and discs together: Gilad and Nissan 1986, Spine 11:154.
DISC_PITCH_MM = 36.0
STORED_MM = 0.6
OUTLINE_MM = 1.5
CANAL_OUTLINE_MM = 0.5
JPEG_QUALITY = 90

SPACE_CODES = {29: 'disc', 76: 'vertebra', 150: 'canal'}
_VERTEBRAE = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (128, 40, 40), (40, 40, 128)]
_DISCS = [(128, 128, 0), (0, 128, 128), (128, 0, 128), (40, 40, 40), (80, 80, 80), (128, 128, 128), (255, 255, 255)]
COLOURS = {**{c: 'vertebra' for c in _VERTEBRAE}, **{c: 'disc' for c in _DISCS}, (40, 128, 40): 'canal'}
KIND = {'vertebra': VERTEBRA, 'disc': INDEX['disc'], 'canal': CANAL}


def space_kinds(path):
    """Mask as sets of structures.py, outlines not yet apart."""
    mask = np.asarray(Image.open(path).convert('L'))
    kinds = np.full(mask.shape, ELSEWHERE, np.uint8)
    for code, name in SPACE_CODES.items():
        kinds[mask == code] = KIND[name]
    return kinds


def colour_kinds(path):
    mask = np.asarray(Image.open(path).convert('RGB'))[::-1]
    kinds = np.full(mask.shape[:2], ELSEWHERE, np.uint8)
    for colour, name in COLOURS.items():
        kinds[(mask == colour).all(-1)] = KIND[name]
    return kinds


def pitch_mm(kinds):
    """Pixel size by the median distance of neighbouring discs, None where fewer than three are to be seen."""
    regions, n = ndimage.label(ndimage.binary_opening(kinds == INDEX['disc'], iterations=1))
    sizes = ndimage.sum(regions > 0, regions, range(1, n + 1))
    kept = [k + 1 for k in range(n) if sizes[k] > 0.3 * np.max(sizes)]
    if len(kept) < 3:
        return None
    centres = np.array(ndimage.center_of_mass(regions > 0, regions, kept))
    centres = centres[np.argsort(centres[:, 0])]
    return DISC_PITCH_MM / float(np.median(np.hypot(*np.diff(centres, axis=0).T)))


def with_outlines(kinds, pixel_mm):
    """Pixels beside vertebrae, discs and canal UNKNOWN; rows under the canal BELOW."""
    out = kinds.copy()
    canal = np.flatnonzero((kinds == CANAL).any(1))
    if canal.size:
        lower = np.arange(len(kinds))[:, None] > canal[-1] - 2 / pixel_mm
        out[lower & (kinds == ELSEWHERE)] = BELOW
    hard = (kinds == VERTEBRA) | (kinds == INDEX['disc'])
    near = np.zeros(kinds.shape, bool)
    for mask, reach in ((hard, OUTLINE_MM), (kinds == CANAL, CANAL_OUTLINE_MM)):
        if mask.any():
            near |= ndimage.distance_transform_edt(~mask) * pixel_mm <= reach
    out[near & (kinds == ELSEWHERE)] = UNKNOWN
    return out


def at(image, pixel_mm, wanted_mm, order):
    """Resampled to other pixels; order 1 averages first where pixels grow."""
    factor = pixel_mm / wanted_mm
    if order and factor < 1:
        image = ndimage.gaussian_filter(image.astype(np.float32), 0.45 * np.sqrt(1 / factor**2 - 1))
    shape = [max(1, round(n * factor)) for n in image.shape]
    grid = [np.minimum((np.arange(n) + 0.5) / factor - 0.5, size - 1) for n, size in zip(shape, image.shape)]
    return ndimage.map_coordinates(image, np.meshgrid(*grid, indexing='ij'), order=order, mode='nearest')


class Slice:
    """A real slice: image and kinds (without outlines) at `pixelMm`, its case, the series it is of, a name."""

    def __init__(self, image, kinds, pixel_mm, case, series, name):
        self.image, self.kinds, self.pixel_mm, self.case, self.series, self.name = image, kinds, pixel_mm, case, series, name


def space_slices(data):
    slices = []
    for path in sorted(pathlib.Path(data, 'spider-t2space/images').glob('*.png')):
        case, number = map(int, re.match(r'(\d+)_t2_SPACE_slice(\d+)', path.stem).groups())
        image = np.asarray(Image.open(path).convert('L'))
        slices.append(Slice(image, space_kinds(path.parent.parent / 'masks' / path.name), SPACE_MM, case, 'space', f'{case}/{number}'))
    return sorted(slices, key=lambda one: (one.case, int(one.name.split('/')[1])))


def labelled_slices(data):
    """Those of spider-t2w-labels whose pixels are square and whose spacing can be told."""
    slices = []
    for path in sorted(pathlib.Path(data, 'spider-t2w-labels/images').glob('*.png')):
        kinds = colour_kinds(path.parent.parent / 'masks' / path.name)
        pixel_mm = pitch_mm(kinds)
        if pixel_mm is None or not 0.2 < pixel_mm < 1.5 or max(kinds.shape) > 1.6 * min(kinds.shape):
            continue
        image = np.asarray(Image.open(path).convert('L'))[::-1]
        slices.append(Slice(image, kinds, pixel_mm, int(path.stem.split('_')[0]) - 1000, 't2w', path.stem))
    # Slices of one series have one spacing; where a disc was missed, discs lie farther apart and pixels seem smaller.
    for one in slices:
        one.pixel_mm = max(other.pixel_mm for other in slices if (other.case, other.image.shape) == (one.case, one.image.shape))
    return slices


def stored(one):
    """Image (float32) and sets with outlines, both at STORED_MM: what training draws from."""
    image = at(one.image, one.pixel_mm, STORED_MM, 1).astype(np.float32)
    return image, at(with_outlines(one.kinds, one.pixel_mm), one.pixel_mm, STORED_MM, 0)


def pack(data, path):
    """What training draws from as one small file: images as JPEG of their own range; test patients stay where they are."""
    test = json.loads((pathlib.Path(__file__).parent / 'split.json').read_text())['cases']['test']
    slices = [one for one in space_slices(data) + labelled_slices(data) if one.case not in test]
    pairs = [stored(one) for one in slices]
    highest = [max(float(image.max()), 1.0) for image, _ in pairs]
    written = []
    for (image, _), most in zip(pairs, highest):
        file = io.BytesIO()
        Image.fromarray(np.round(255 * np.maximum(image, 0) / most).astype(np.uint8)).save(file, 'JPEG', quality=JPEG_QUALITY)
        written.append(np.frombuffer(file.getvalue(), np.uint8))
    np.savez_compressed(
        path, cases=[one.case for one in slices], series=[one.series for one in slices], names=[one.name for one in slices], highest=highest,
        shapes=[sets.shape for _, sets in pairs], lengths=[len(file) for file in written],
        images=np.concatenate(written), sets=np.concatenate([sets.ravel() for _, sets in pairs]),
    )


def unpack(path, keep):
    """Slices without their own pixels, and what is drawn from, of the cases that `keep` takes."""
    with np.load(path) as file:
        part = {name: file[name] for name in file}
    images = np.split(part['images'], np.cumsum(part['lengths'])[:-1])
    sets = np.split(part['sets'], np.cumsum(part['shapes'].prod(1))[:-1])
    slices, pairs = [], []
    for case, series, name, most, shape, image, one_sets in zip(*(part[key] for key in ('cases', 'series', 'names', 'highest', 'shapes')), images, sets):
        if keep(int(case)):
            slices.append(Slice(None, None, STORED_MM, int(case), str(series), str(name)))
            pairs.append((np.asarray(Image.open(io.BytesIO(image.tobytes())), np.float32) * np.float32(most / 255), one_sets.reshape(shape).copy()))
    return slices, pairs


if __name__ == '__main__':
    pack(sys.argv[1], sys.argv[2])
