"""Simulated and real cases as pictures, a row each: T1w, T2w, STIR, T2 fat-sat, fat fraction, interval of STIR, pair.

    python3 panel.py --bank BANK --data DATA --model ../../synthesis-maps/model.onnx --out ../../synthesis-maps

Interval: half width of 90 % over the signal, 0 to 1. Pair: averaged z of gate.py, -6 to 6, mid-grey is 0. Simulated rows show the true STIR and T2
fat-sat to the right of the synthetic ones. Sequences of the real images are unknown or no spin echo; ASSUMED stands in. real.json beside the
panel has what was measured of them.
"""

import argparse
import json
import pathlib

import nibabel
import numpy as np
from scipy import ndimage
from skimage import io, transform

import bank
import calibrate
import data
import gate
import interval
import lesions
import signals
from evaluate import SEED
from synthesiser import MISSING, Synthesiser, contrasts_of, truth_of

TILE = 176
ASSUMED = dict(
    t1w=dict(trMs=600.0, teMs=10.0, echoTrainLength=3, echoSpacingMs=10.0, refocusingAngleDeg=150.0),
    t2w=dict(trMs=3500.0, teMs=100.0, echoTrainLength=17, echoSpacingMs=10.0, refocusingAngleDeg=150.0),
    stir=dict(trMs=4500.0, teMs=50.0, echoTrainLength=12, echoSpacingMs=9.0, refocusingAngleDeg=150.0),
    t2fs=dict(trMs=3500.0, teMs=75.0, echoTrainLength=14, echoSpacingMs=10.0, refocusingAngleDeg=150.0),
)
FIELD_OF_VIEW_MM = 280.0


def assumed(field_strength_t):
    """ASSUMED with the inversion time at which the equations null fat."""
    stir = dict(ASSUMED['stir'])
    low, high = 50.0, 500.0
    for _ in range(40):
        stir['tiMs'] = (low + high) / 2
        fat = signals.contrasts_of([{**ASSUMED, 'stir': stir}], [field_strength_t], data.sequence_numbers)['stir'].fat_signal
        low, high = (stir['tiMs'], high) if float(fat) < 0 else (low, stir['tiMs'])
    return {**ASSUMED, 'stir': stir}


def filled(image):
    """To multiples of 32 by reflection: averaged over 2 x 2 they are still multiples of 16."""
    return np.pad(image, [(0, -size % 32) for size in image.shape], mode='reflect')


def real_exam(t1w, t2w, pixel_mm, field_strength_t):
    """What data.make makes of simulated slices, of two real ones on one grid."""
    t1w, t2w = (np.maximum(image, 0).astype(np.float32) for image in (t1w, t2w))
    v, u = (2 * np.arange(n, dtype=np.float32) / (n - 1) - 1 for n in t1w.shape)
    everywhere = data.polynomial(*np.meshgrid(u, v))
    coefficients, inside = data.fit_field(t1w.ravel(), t2w.ravel(), everywhere.reshape(15, -1))
    field = np.clip(np.exp(np.tensordot(coefficients, everywhere, 1)), 1 / 8, 8)
    inside = inside.reshape(t1w.shape)
    images = np.zeros((4, *filled(t1w).shape), np.float32)
    for k, image in enumerate((t1w, t2w)):
        images[k] = filled(image / field / (image / field)[inside].mean())
    sequences = assumed(field_strength_t)
    return dict(
        images=images, exam=data.exam_vector(sequences, field_strength_t, pixel_mm), sequences=sequences,
        patient=dict(fieldStrengthT=field_strength_t), pixelMm=pixel_mm,
    )


def real_pairs(folder):
    """(name, T1w, T2w, pixel in mm, field strength) of the real pairs, heads up."""
    spider = folder / 'spine-mr' / 'spider-lumbar-t1t2' / 'images'
    pair = [io.imread(spider / f'{name}.png')[::-1].astype(np.float32) for name in ('10025_11', '10026_11')]
    pixel_mm = 0.9
    shape = [round(size * FIELD_OF_VIEW_MM / max(pair[0].shape) / pixel_mm) for size in pair[0].shape]
    yield 'lumbar', *(transform.resize(image, shape, anti_aliasing=True, preserve_range=True) for image in pair), pixel_mm, 1.5
    generic = folder / 'spine-mr' / 'spine-generic-unf01-t1-t2-t2star'
    t1w, t2w = (np.asarray(nibabel.load(generic / f'sub-unf01_{name}.nii.gz').dataobj, np.float32) for name in ('T1w', 'T2w'))
    yield 'cervical, axial', *(image[::-1, ::-1, 8].T for image in (t1w, t2w)), 1.0, 3
    testing = folder / 'spine-mr' / 'sct-testing-cervical-t1-t2-t2s'
    first, second = (nibabel.load(testing / f'{name}.nii.gz') for name in ('t1w', 't2'))
    to_first = np.linalg.inv(first.affine) @ second.affine
    on_second = ndimage.affine_transform(np.asarray(first.dataobj, np.float32), to_first[:3, :3], to_first[:3, 3], second.shape, order=1)
    # Axes of T2w: backwards, upwards, to the right.
    yield 'cervical, sagittal', *(image[::, ::-1, 26].T for image in (on_second, np.asarray(second.dataobj, np.float32))), 1.0, 3


def measured_of(made, maps, contrasts):
    """Of a real pair, where nobody knows the truth: the brightest twelfth of T1w (fat) and the brightest of T2w (fluid), in STIR."""
    t1w, t2w = made['images'][:2]
    stir = maps.delivered('stir', contrasts['stir'])[0]
    body = np.maximum(t1w, t2w) > 0.3
    size = np.percentile(stir[body], 99.5)
    fat = body & (t1w > np.percentile(t1w[body], 92))
    fluid = body & (t2w > np.percentile(t2w[body], 98.5))
    share = lambda mask: round(float(stir[mask].mean() / size), 3)
    acquired = maps.signal(contrasts['t2w'])[0]
    return dict(
        fatOverT2w=round(float(stir[fat].mean() / acquired[fat].mean()), 3),
        brightestTwelfthOfT1wInStir=share(fat),
        itInT2w=round(float(t2w[fat].mean() / np.percentile(t2w[body], 99.5)), 3),
        brightestOfT2wInStir=share(fluid),
        medianOfBody=round(float(np.median(stir[body]) / size), 3),
        fatFractionOfBrightestOfT1w=round(float(np.median(maps.fat_fraction()[fat])), 3),
    )


def tile(image, low, high):
    shown = np.clip((image - low) / (high - low), 0, 1)
    factor = TILE / max(shown.shape)
    small = transform.resize(shown, [round(size * factor) for size in shown.shape], anti_aliasing=True)
    return np.pad(small, [((TILE - size) // 2, TILE - size - (TILE - size) // 2) for size in small.shape])


def row_of(network, made, calibration, true=None):
    """Tiles of one case, and what was measured of it."""
    maps, contrasts = network.of(made), contrasts_of(made)
    t1w, t2w = made['images'][:2]
    body = np.maximum(ndimage.uniform_filter(t1w, 3), ndimage.uniform_filter(t2w, 3)) > 0.08
    tiles = [tile(image, 0, np.percentile(image, 99.5)) for image in (t1w, t2w)]
    for name in MISSING:
        size, deviation = maps.delivered(name, contrasts[name])
        shown = size * body
        top = np.percentile(true[name] if true else shown, 99.5)
        tiles.append(tile(shown, 0, top))
        if true:
            tiles.append(tile(true[name], 0, top))
        if name == 'stir':
            low, high = interval.interval_of(size, deviation, maps.maps[0].numpy(), calibration['combined']['stir'])
            width = (high - low) / 2 / (size + interval.FAINT) * body
    evidence, z = gate.features(network, made['images'], made['exam'], contrasts, maps)
    tiles += [tile(maps.fat_fraction() * body, 0, 1), tile(width, 0, 1), tile(z, -6, 6)]
    found = measured_of(made, maps, contrasts)
    score = calibrate.gate_score(evidence, calibration['gate'])
    found['gateScore'], found['amber'], found['red'] = round(score, 2), calibration['gate']['amber'], calibration['gate']['red']
    return np.hstack(tiles), found


def simulated(folder):
    """Some cases of the bank: (name, made)."""
    for name, kinds, count in (('marrow', lesions.MARROW, 2), ('infected', (*lesions.MARROW, *lesions.FLUID), 2), ('fatty', lesions.FATTY, 1), ('wide', None, 1), ('narrow', None, 1)):
        # Of the priors the first patient is enough.
        cases, shown = bank.load(folder, name, patients=None if kinds else 1), 0
        for index in range(3, len(cases)):
            if kinds:
                kinds_here = [kind for kind in kinds if lesions.TYPES[kind][0] == name]
                found = lesions.find(kinds_here, cases.image(index, 'label'), cases.image(index, 'lesion'), cases.slices[index][1]['pixelMm'])
                if sum(lesion.mask.sum() for lesion in found) < 350:
                    continue
            yield name, data.make(cases, index, np.random.default_rng((SEED, index)), calibrate.options())
            shown += 1
            if shown == count:
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('bank', 'data', 'model', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    network = Synthesiser(arguments.model)
    calibration = json.loads((arguments.out / 'calibration.json').read_text())
    rows = [row_of(network, made, calibration, {name: np.abs(truth_of(made, name)) for name in MISSING})[0] for _, made in simulated(arguments.bank)]
    real = {}
    for name, *pair in real_pairs(arguments.data):
        row, real[name] = row_of(network, real_exam(*pair), calibration)
        rows.append(np.pad(row, [(0, 0), (0, rows[0].shape[1] - row.shape[1])]))
    (arguments.out / 'real.json').write_text(json.dumps(real, indent=1) + '\n')
    io.imsave(arguments.out / 'panel.png', (255 * np.vstack(rows)).round().astype(np.uint8), check_contrast=False)


if __name__ == '__main__':
    main()
