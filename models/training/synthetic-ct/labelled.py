"""MR of labelled CT: labelled.py DATA TISSUES.json SIMULATED OUT

Each voxel of a CT with vertebra labels is given tissues by its label and its Hounsfield units, and each tissue the signal that
imaging/signal.ts gives it. Slices are written as ../synthesis/paint.ts writes those of simulated patients, so that whatever
reads the one reads the other.

  vertebra    marrow, whose fat fraction falls with the HU about its median, and cortex: HU = (1 - c) marrow + c 1000
  disc        annulus, and in its depth a nucleus, healthy or degenerated
  canal       fluid with roots, in an ellipse about the middle of what bone and discs enclose
  elsewhere   gas, fat, muscle and cortex, neighbours in HU mixed so that the HU are kept

The MR comes from the CT without its noise (non-local means): with it, the noise of the MR would tell that of the CT. Sequences
are those of simulated cases. Two CTs of two people: `tptbox` (an L3 and its neighbours, 1.5 mm, in OUT/train) is trained on, with
its smoothed HU; `totalsegmentator` (T11 to S1, 3 mm, in OUT/test) is tested on only, with its HU as they are. Couch and clothes
are air in both. Beyond the edge of the CT slices are mirrored.
"""
import json
import sys
from pathlib import Path
import nibabel
import numpy as np
import torch
from scipy import ndimage
from skimage.restoration import denoise_nl_means
from sibling import synthesis

signals, sequence_numbers = synthesis('signals'), synthesis('data').sequence_numbers
SEED = 20261126
MATRIX = 288
SCALES = dict(t1w=20_000, t2w=20_000, stir=20_000, t2fs=20_000, protonDensity=20_000, t1Ms=5, t2Ms=12, fatFraction=20_000, hounsfield=8, label=1, lesion=1)
CORTEX_HU, FAT_HU, MUSCLE_HU, GAS_HU = 1000, -105, 50, -1000
# VerSe numbers of the vertebrae of each set; see docs/conventions.md.
TOTALSEGMENTATOR = {26: 26, 27: 24, 28: 23, 29: 22, 30: 21, 31: 20, 32: 19, 33: 18}


def volume(path):
    """As [x to the right, y to the front, z to the head] and its voxel in mm."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    return np.asarray(image.dataobj).astype(np.float32), float(image.header.get_zooms()[0])


def enclosed(bone, voxel_mm):
    """Middle of the canal in axial slices, [z, 2] in voxels: what bone or disc is in sight of on nearly all sides."""
    reach = int(28 / voxel_mm)
    middles = np.full((bone.shape[2], 2), np.nan)
    for z in range(bone.shape[2]):
        seen = np.zeros(bone.shape[:2])
        for angle in np.arange(16) * np.pi / 8:
            hit = np.zeros(bone.shape[:2], bool)
            for step in range(1, reach):
                hit |= ndimage.shift(bone[:, :, z].astype(np.float32), -step * np.array([np.cos(angle), np.sin(angle)]), order=0) > 0
            seen += hit
        inside = ndimage.binary_opening((seen >= 14) & ~bone[:, :, z])
        regions, n = ndimage.label(inside)
        if n:
            largest = 1 + np.argmax(ndimage.sum(inside, regions, range(1, n + 1)))
            if (regions == largest).sum() * voxel_mm**2 > 60:
                middles[z] = np.argwhere(regions == largest).mean(0)
    known = np.flatnonzero(np.isfinite(middles[:, 0]))
    for axis in range(2):
        line = np.interp(np.arange(len(middles)), known, ndimage.median_filter(middles[known, axis], 5, mode='nearest'))
        middles[:, axis] = ndimage.gaussian_filter1d(line, 4 / voxel_mm, mode='nearest')
    middles[: known[0]] = middles[known[-1] + 1 :] = np.nan
    return middles


def canal(bone, voxel_mm):
    x, y = np.mgrid[: bone.shape[0], : bone.shape[1]]
    inside = np.zeros(bone.shape, bool)
    for z, (cx, cy) in enumerate(enclosed(bone, voxel_mm)):
        if np.isfinite(cx):
            inside[:, :, z] = np.hypot((x - cx) / 10, (y - cy) / 7.5) * voxel_mm < 1
    return inside & ~bone


def body_of(hounsfield):
    """Without couch and clothes; all of a CT that lies within the body."""
    if np.mean(hounsfield < -300) < 0.01:
        return np.ones(hounsfield.shape, bool)
    regions, _ = ndimage.label(ndimage.binary_opening(hounsfield > -300, iterations=2))
    body = regions == np.argmax(np.bincount(regions.ravel())[1:]) + 1
    return np.stack([ndimage.binary_fill_holes(ndimage.binary_closing(body[:, :, z], iterations=2)) for z in range(body.shape[2])], 2)


class Labelled:
    """A CT: `hounsfield` with its noise and `smooth` without, and labels as in docs/conventions.md, on one grid."""

    def __init__(self, hounsfield, voxel_mm, label, noise_hu, disc=None):
        body = body_of(hounsfield)
        smooth = denoise_nl_means(hounsfield, patch_size=3, patch_distance=4, h=noise_hu, fast_mode=True)
        self.hounsfield, self.smooth = (np.where(body, np.clip(image, -1000, 2000), GAS_HU).astype(np.float32) for image in (hounsfield, smooth))
        self.voxel_mm, self.label = voxel_mm, label
        if disc is not None:
            self.label = np.where(disc & (label == 0), 300, self.label)
        vertebrae = (self.label >= 100) & (self.label < 300)
        self.label[canal(vertebrae | (self.label == 300), voxel_mm) & (self.label == 0)] = 1
        # Bones without a label: ribs, pelvis. Inside a shell lies marrow.
        other = ndimage.binary_closing(self.smooth > 190, iterations=2) & (self.label == 0) & (self.smooth > 90)
        self.bone = vertebrae | ndimage.binary_opening(other)
        inside = ndimage.binary_erosion((self.label >= 100) & (self.label < 200), iterations=2)
        self.marrow_hu = float(np.median(self.smooth[inside]))
        self.depth = ndimage.distance_transform_edt(self.label == 300) * voxel_mm


def tptbox(data):
    folder = Path(data) / 'tptbox-ct-sample'
    hounsfield, voxel_mm = volume(folder / 'sub-ct_label-22_ct.nii.gz')
    parts, _ = volume(folder / 'sub-ct_seg-subreg_label-22_msk.nii.gz')
    vertebrae, _ = volume(folder / 'sub-ct_seg-vert_label-22_msk.nii.gz')
    label = np.where(vertebrae > 0, np.where(parts >= 49, 100, 200) + vertebrae, 0).astype(np.int32)
    body = (label >= 100) & (label < 200)
    # Between two bodies, each voxel of a column in sight of one above and one below within a disc's height.
    steps = int(14 / voxel_mm)
    above = np.logical_or.reduce([np.roll(body, -k, 2) for k in range(1, steps)])
    below = np.logical_or.reduce([np.roll(body, k, 2) for k in range(1, steps)])
    return Labelled(hounsfield, voxel_mm, label, 60.0, ndimage.binary_opening(above & below & ~body & (label == 0)))


def totalsegmentator(data):
    folder = Path(data) / 'totalsegmentator-example-ct'
    hounsfield, voxel_mm = volume(folder / 'example_ct.nii.gz')
    vertebrae, _ = volume(folder / 'totalseg.nii.gz')
    part, _ = volume(folder / 'totalseg_vertebrae_body.nii.gz')
    numbers = np.vectorize(lambda code: TOTALSEGMENTATOR.get(int(code), 0))(vertebrae)
    label = np.where(numbers > 0, np.where(part == 1, 100, 200) + numbers, 0).astype(np.int32)
    return Labelled(hounsfield, voxel_mm, label, 20.0, part == 2)


def fractions(ct, h, label, bone, depth, healthy):
    """Share of each tissue of the pixels of a slice, by name: h smoothed HU, label, bone and depth in a disc (mm)."""
    share = {}
    def add(name, where, amount):
        share[name] = share.get(name, 0) + np.where(where, amount, 0)
    disc, fluid = label == 300, label == 1
    marrow = bone & ~disc & ~fluid
    hard = np.clip((h - ct.marrow_hu) / (CORTEX_HU - ct.marrow_hu), 0, 1)
    fatty = np.clip(0.45 - (np.minimum(h, ct.marrow_hu + 60) - ct.marrow_hu) / 250, 0.15, 0.85)
    red = np.clip((0.85 - fatty) / 0.6, 0, 1)
    add('cortex', marrow, hard)
    add('redMarrow', marrow, (1 - hard) * red)
    add('yellowMarrow', marrow, (1 - hard) * (1 - red))
    nucleus = np.clip((depth - 2) / 2, 0, 1)
    add('endplate', disc, np.clip((h - 130) / 320, 0, 1))
    left = 1 - np.clip((h - 130) / 320, 0, 1)
    add('nucleus' if healthy else 'degeneratedNucleus', disc, left * nucleus)
    add('annulus', disc, left * (1 - nucleus))
    rest = ~marrow & ~disc
    gas = np.clip((FAT_HU - 30 - h) / (FAT_HU - 30 - GAS_HU), 0, 1)
    hard = np.clip((h - 110) / (CORTEX_HU - 110), 0, 1)
    soft = np.clip((h - FAT_HU) / (MUSCLE_HU - 15 - FAT_HU), 0, 1) * (1 - gas) * (1 - hard)
    add('air', rest, gas)
    add('cortex', rest, hard)
    add('visceralFat', rest, (1 - gas) * (1 - hard) - soft)
    add('csf', rest & fluid, 0.75 * soft)
    add('nerveRoot', rest & fluid, 0.25 * soft)
    add('muscle', rest & ~fluid, soft)
    return share


def vary(tissues, width, rng):
    """Another person's tissues, as ../synthesis/paint.ts varies them."""
    factor = lambda deviation: float(np.exp(np.clip(rng.normal(), -2.2, 2.2) * deviation * width))
    varied = {}
    for name, tissue in tissues.items():
        odds = tissue['fatFraction'] / (1 - tissue['fatFraction']) * factor(0.45)
        varied[name] = dict(
            pd=min(1.05, tissue['protonDensity'] * factor(0.07)), t1=tissue['t1Ms'] * factor(0.13), t2=tissue['t2Ms'] * factor(0.18),
            ff=odds / (1 + odds) if tissue['fatFraction'] > 0.02 else tissue['fatFraction'],
        )
    return varied


def paint(ct, plane, pixel_mm, centre, sequences, fat, tissues, healthy, smoothed_truth):
    """Integers of the channels, [channel, MATRIX, MATRIX]. Rows run down and, in axial slices, to the back; columns to the back or to the left."""
    steps = (np.arange(MATRIX) - MATRIX / 2 + 0.5) * pixel_mm / ct.voxel_mm
    rows, columns = np.meshgrid(steps, steps, indexing='ij')
    zero = np.zeros_like(rows)
    along = (zero, -columns, -rows) if plane == 'sagittal' else (-columns, -rows, zero)
    where = [offset + middle for offset, middle in zip(along, centre)]
    cut = lambda image, order: ndimage.map_coordinates(image, where, order=order, mode='reflect')
    h = cut(ct.smooth, 1)
    label = cut(ct.label, 0)
    share = fractions(ct, h, label, cut(ct.bone.astype(np.float32), 1) > 0.5, cut(ct.depth, 1), healthy)
    total = lambda value: sum(part * np.float32(value(tissues[name])) for name, part in share.items())
    number = lambda value: torch.tensor(float(value))
    sequence = {name: {key: number(value) for key, value in sequence_numbers(sequences[name]).items()} for name in ('t1w', 't2w')}
    signal = {}
    for name, seq in sequence.items():
        signal_of_fat = float(signals.fast_spin_echo(number(fat['t1Ms']), number(fat['t2Ms']), seq))
        water = lambda tissue: float(signals.fast_spin_echo(number(tissue['t1']), number(tissue['t2']), seq))
        signal[name] = total(lambda tissue: tissue['pd'] * ((1 - tissue['ff']) * water(tissue) + tissue['ff'] * signal_of_fat))
    pd = total(lambda tissue: tissue['pd'])
    water = total(lambda tissue: tissue['pd'] * (1 - tissue['ff']))
    over = lambda part, whole: np.where(whole > 1e-3, part / np.maximum(whole, 1e-3), 0)
    images = dict(
        t1w=signal['t1w'], t2w=signal['t2w'], stir=zero, t2fs=zero, protonDensity=pd,
        t1Ms=over(total(lambda tissue: tissue['pd'] * (1 - tissue['ff']) * tissue['t1']), water),
        t2Ms=over(total(lambda tissue: tissue['pd'] * (1 - tissue['ff']) * tissue['t2']), water),
        fatFraction=over(pd - water, pd), hounsfield=h if smoothed_truth else cut(ct.hounsfield, 1), label=label, lesion=zero,
    )
    return np.stack([np.clip(np.round(images[name] * scale), -32768, 32767).astype(np.int16) for name, scale in SCALES.items()])


def write(folder, name, ct, sagittal, axial, groups, tissues, simulated, rng, smoothed_truth, first_seed):
    """Patients of eight slices: places are drawn about the middle of the bodies, -1 to 1 of the given reach in mm."""
    folder.mkdir(parents=True, exist_ok=True)
    places = np.argwhere((ct.label >= 100) & (ct.label < 200))
    middle = places.mean(0)
    for group in range(groups):
        about = json.loads(rng.choice(simulated).read_text())
        at = tissues[str(about['fieldStrengthT']).removesuffix('.0')]
        slices, samples = [], []
        for k in range(8):
            sample = about['samples'][rng.integers(len(about['samples']))]
            plane = 'sagittal' if k < 5 else 'axial'
            centre = middle.copy()
            if plane == 'sagittal':
                centre[0] += rng.uniform(-1, 1) * sagittal / ct.voxel_mm
            else:
                centre[2] += rng.uniform(-1, 1) * axial / ct.voxel_mm
                near = places[np.abs(places[:, 2] - centre[2]) < 3]
                centre[:2] = near[:, :2].mean(0) if len(near) else middle[:2]
            width = 1.2 * rng.random()
            pixel_mm = rng.uniform(0.65, 1.1) if name == 'tptbox' else rng.uniform(0.95, 1.1)
            slices.append(paint(ct, plane, pixel_mm, centre, sample['sequences'], about['fat'], vary(at['tissues'], width, rng), rng.random() < 0.5, smoothed_truth))
            samples.append(dict(orientation=plane, pixelMm=pixel_mm, thicknessMm=ct.voxel_mm, sequences=sample['sequences'], priorWidth=width, fatShiftPixels=[0, 0]))
        seed = first_seed + group
        np.stack(slices).tofile(folder / f'{seed}.bin')
        kept = {key: about[key] for key in ('fieldStrengthT', 'fat')}
        described = dict(seed=seed, region=name, pathology='', findings=[], matrix=MATRIX, channels=SCALES, samples=samples, **kept)
        (folder / f'{seed}.json').write_text(json.dumps(described))


def main(data, tissues_file, simulated_folder, out):
    rng = np.random.default_rng(SEED)
    tissues = json.loads(Path(tissues_file).read_text())
    simulated = sorted(Path(simulated_folder).glob('*.json'))[:200]
    write(Path(out) / 'train', 'tptbox', tptbox(data), 18, 30, 12, tissues, simulated, rng, True, 9000)
    write(Path(out) / 'test', 'totalsegmentator', totalsegmentator(data), 12, 90, 6, tissues, simulated, rng, False, 9100)


if __name__ == '__main__':
    main(*sys.argv[1:])
