"""What the card states, on patients that training never saw.

    python3 evaluate.py model --model ../../spine-structures/model.onnx --data DATA --bank BANK --thresholds THRESHOLDS.json --out ../../spine-structures/evaluation.json
    python3 evaluate.py fold --checkpoint FOLD/checkpoint.pt --fold 0 --data DATA --out FOLD/evaluation.json
    python3 evaluate.py thresholds --model ../../spine-structures/model.onnx --data DATA --cases CASES --out THRESHOLDS.json   # on the validation cases

Real slices are judged on their own pixels; the dark outlines between the masks, and rows under the canal's mask for the canal,
count for nothing. `strict` counts them as background. Mid-sagittal: of a patient the slice with the most canal. BANK has the
folders sagittal, axial and narrow of ../synthesis/paint.ts (seeds 700000 and more); its images are given a coil's shading, blur and noise.
"""

import argparse
import json
import pathlib
import re
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage

import data
import measures
import real
from measures import GROUPS, TRUE_SETS, dice
from network import SpineStructures
from structures import BELOW, CANAL, CLASSES, NOMINAL_MM, UNKNOWN, normalise, normalise_ct

SPLIT = json.loads((pathlib.Path(__file__).parent / 'split.json').read_text())
SEED = 20261130
CONTRASTS = ('t1w', 't2w', 'stir', 't2fs', 'ct')
LEAST_PIXELS = 40
# Of a lumbar body in a sagittal slice.
BODY_MM2 = (450, 1800)
# Of false canal in a slice without one.
FALSE_CANAL_MM2 = 50.0
# Area of a sac below which a canal is narrow (the first cut-off of simulator/pathology/kinds.ts).
NARROW_MM2 = 130.0
BINS = np.linspace(0, 1, 11)


def mean(values):
    values = [value for value in values if value is not None]
    return round(float(np.mean(values)), 4) if values else None


def on_own_pixels(run, one):
    """Probabilities of a real slice on its own grid, and its sets."""
    probabilities, _ = measures.segmented_real(run, one)
    sets = real.with_outlines(one.kinds, one.pixel_mm)
    rows, columns = sets.shape
    factor = one.pixel_mm / NOMINAL_MM['sagittal']
    line = lambda n, size: 2 * ((torch.arange(n) + 0.5) * factor) / size - 1
    grid = torch.stack(torch.meshgrid(line(columns, probabilities.shape[2]), line(rows, probabilities.shape[1]), indexing='xy'), -1)[None].float()
    back = F.grid_sample(torch.from_numpy(np.ascontiguousarray(probabilities))[None], grid, padding_mode='border', align_corners=False)
    return back[0].numpy(), sets


def kept_canal(probabilities, pixel_mm, threshold):
    """Canal, where its pixels are sure enough: connected regions whose mean probability is below the threshold are left out."""
    canal = np.isin(probabilities.argmax(0), GROUPS['canal'])
    if not canal.any():
        return canal
    sure = probabilities[list(GROUPS['canal'])].sum(0)
    regions, n = ndimage.label(canal)
    means = ndimage.mean(sure, regions, range(1, n + 1))
    return canal & np.concatenate(([False], np.asarray(means) >= threshold))[regions]


class Reliability:
    """Confidence against truth of the pixels that are said to be of a group."""

    def __init__(self):
        self.pixels = {name: np.zeros((10, 3)) for name in GROUPS}

    def add(self, probabilities, true, known):
        classes = probabilities.argmax(0)
        for name, members in GROUPS.items():
            shown = np.isin(classes, members) & known
            confidence = probabilities[list(members)].sum(0)[shown]
            right = true[name][shown]
            place = np.clip(np.digitize(confidence, BINS) - 1, 0, 9)
            for column, weights in enumerate((np.ones(len(place)), confidence, right.astype(float))):
                self.pixels[name][:, column] += np.bincount(place, weights, 10)

    def summary(self):
        found = {}
        for name, table in self.pixels.items():
            n = table[:, 0]
            filled = n > 0
            error = np.abs(table[filled, 1] - table[filled, 2]).sum() / max(n.sum(), 1)
            found[name] = dict(
                expectedCalibrationError=round(float(error), 4), meanConfidence=round(float(table[:, 1].sum() / max(n.sum(), 1)), 4),
                precision=round(float(table[:, 2].sum() / max(n.sum(), 1)), 4),
                bins=[dict(pixels=int(row[0]), confidence=round(row[1] / row[0], 3), right=round(row[2] / row[0], 3)) for row in table[filled]],
            )
        return found


def real_results(run, slices, threshold):
    """By slice, the means over the mid-sagittal and over all, and by patient."""
    rows, reliability = [], Reliability()
    for one in slices:
        probabilities, sets = on_own_pixels(run, one)
        classes = probabilities.argmax(0)
        classes_kept = np.where(np.isin(classes, GROUPS['canal']) & ~kept_canal(probabilities, one.pixel_mm, threshold), 0, classes)
        area = one.pixel_mm**2
        true_canal = sets == CANAL
        row = dict(
            slice=one.name, case=one.case, series=one.series, canalMm2=round(float(true_canal.sum() * area), 1),
            dice=measures.group_dice(classes_kept, sets), withoutAbstaining=measures.group_dice(classes, sets),
            strict={name: dice(np.isin(classes_kept, GROUPS[name]), np.isin(one.kinds, TRUE_SETS[name])) for name in GROUPS},
            falseCanalMm2=round(float((np.isin(classes_kept, GROUPS['canal']) & ~true_canal & (sets != BELOW) & (sets != UNKNOWN)).sum() * area), 1),
        )
        rows.append(row)
        reliability.add(probabilities, {name: np.isin(sets, TRUE_SETS[name]) for name in GROUPS}, (sets != UNKNOWN) & (sets != BELOW))
    middle = []
    for case in sorted({row['case'] for row in rows}):
        middle.append(max((row for row in rows if row['case'] == case), key=lambda row: row['canalMm2']))
    over = lambda chosen, key: {name: mean(row[key][name] for row in chosen) for name in GROUPS}
    least = lambda chosen: {name: min((row['dice'][name] for row in chosen if row['dice'][name] is not None), default=None) for name in GROUPS}
    empty = [row for row in rows if row['canalMm2'] == 0]
    return dict(
        slices=len(rows), patients=len(middle),
        midSagittal={key: over(middle, key) for key in ('dice', 'strict')}, midSagittalWorst=least(middle),
        all={key: over(rows, key) for key in ('dice', 'withoutAbstaining', 'strict')},
        withoutCanal=dict(slices=len(empty), falseCanalMm2=[row['falseCanalMm2'] for row in empty]),
        reliability=reliability.summary(), bySlice=rows,
    )


def vertebra_slices(folder):
    """spider-lumbar-t1t2: T1w and T2w, vertebrae by colour, spacing from the distance of neighbouring vertebrae."""
    slices = []
    for path in sorted(pathlib.Path(folder, 'images').glob('*.png')):
        image = np.asarray(Image.open(path).convert('L'))[::-1]
        mask = np.asarray(Image.open(path.parent.parent / 'masks' / path.name).convert('RGB'))[::-1].astype(int)
        code = mask @ (65536, 256, 1)
        # Vertebrae lie one above the other; posterior elements have their colour too, so that the largest part counts.
        centres, areas = [], []
        for value in np.unique(code[code > 0]):
            regions, n = ndimage.label(code == value)
            sizes = ndimage.sum(regions > 0, regions, range(1, n + 1))
            if np.max(sizes) > 80:
                centres.append(ndimage.center_of_mass(regions == 1 + np.argmax(sizes)))
                areas.append(np.max(sizes))
        if len(centres) < 3 or min(image.shape) < 200:
            continue
        centres = np.array(sorted(centres))
        pixel_mm = real.DISC_PITCH_MM / float(np.median(np.hypot(*np.diff(centres, axis=0).T)))
        # Where there are no bodies, what was measured is no distance of bodies.
        if not BODY_MM2[0] <= np.median(areas) * pixel_mm**2 <= BODY_MM2[1]:
            continue
        kinds = np.where(code > 0, TRUE_SETS['vertebra'][0], 0).astype(np.uint8)
        slices.append(real.Slice(image, kinds, pixel_mm, int(re.match(r'\d+', path.stem)[0]), 'lumbar', path.stem))
    return slices


def vertebra_results(run, folder):
    rows, classes = [], {}
    for one in vertebra_slices(folder):
        probabilities, sets = measures.segmented_real(run, one)
        classes[one.name] = probabilities.argmax(0)
        known = sets != UNKNOWN
        rows.append(dict(slice=one.name, pixelMm=round(one.pixel_mm, 3), vertebra=dice(np.isin(classes[one.name], GROUPS['vertebra']), np.isin(sets, TRUE_SETS['vertebra']), known)))
    t1w, t2w = classes['10025_11'], classes['10026_11']
    pair = {name: dice(np.isin(t1w, members), np.isin(t2w, members)) for name, members in GROUPS.items()}
    return dict(slices=len(rows), vertebra=mean(row['vertebra'] for row in rows), bySlice=rows,
                pair={**pair, 'vertebraT1w': next(r['vertebra'] for r in rows if r['slice'] == '10025_11'), 'vertebraT2w': next(r['vertebra'] for r in rows if r['slice'] == '10026_11')})


def scanned(rng, image):
    """With a coil's shading, blur and noise: SNR of the body's mean 15 to 60."""
    rows, columns = image.shape
    v, u = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing='ij')
    field = np.exp(rng.uniform(0, 0.8) * u + rng.normal(0, 0.2) * v + rng.normal(0, 0.2) * (u**2 + v**2))
    image = ndimage.gaussian_filter(image, rng.uniform(0, 0.5)) * field
    body = image[image > 0.1 * np.percentile(image, 99)]
    noise = (body.mean() if body.size else 1.0) / np.exp(rng.uniform(np.log(15), np.log(60)))
    return np.hypot(image + noise * rng.standard_normal(image.shape), noise * rng.standard_normal(image.shape)).astype(np.float32)


def bank_image(cases, index, contrast, orientation):
    """Image as the network takes it and classes, both at nominal pixels; the same noise wherever it is asked for."""
    rng = np.random.default_rng((SEED, index, CONTRASTS.index(contrast)))
    pixel_mm = cases.slices[index][1]['pixelMm']
    if contrast == 'ct':
        image = ndimage.gaussian_filter(cases.image(index, 'hounsfield'), 0.5) + rng.normal(0, 20, cases.labels(index).shape)
    else:
        image = scanned(rng, np.abs(cases.image(index, contrast)))
    image = real.at(image, pixel_mm, NOMINAL_MM[orientation], 1).astype(np.float32)
    classes = real.at(cases.labels(index), pixel_mm, NOMINAL_MM[orientation], 0)
    return (normalise_ct if contrast == 'ct' else normalise)(image), classes


def bank_results(run, folder, orientation, threshold):
    cases = data.Simulated([pathlib.Path(folder, orientation)], lambda seed: True)
    by_contrast, middle, by_class, pairs, middle_pairs, false_canal = {}, {}, {}, [], [], []
    reliability = Reliability()
    shown = {}
    canal = [int(np.isin(cases.labels(index), GROUPS['canal']).sum()) for index in range(len(cases))]
    most = {}
    for index, (patient, *_) in enumerate(cases.slices):
        if canal[index] > canal[most.setdefault(patient['seed'], index)]:
            most[patient['seed']] = index
    for index in range(len(cases)):
        for contrast in CONTRASTS:
            image, true = bank_image(cases, index, contrast, orientation)
            probabilities = run(image)
            classes = probabilities.argmax(0)
            keep = kept_canal(probabilities, NOMINAL_MM[orientation], threshold)
            classes = np.where(np.isin(classes, GROUPS['canal']) & ~keep, 0, classes)
            shown[contrast] = classes
            for name, members in GROUPS.items():
                if np.isin(true, members).sum() >= LEAST_PIXELS:
                    value = dice(np.isin(classes, members), np.isin(true, members))
                    for found in (by_contrast, middle) if index in most.values() else (by_contrast,):
                        found.setdefault(contrast, {}).setdefault(name, []).append(value)
            for value, name in enumerate(CLASSES[1:], 1):
                if (true == value).sum() >= LEAST_PIXELS:
                    by_class.setdefault(name, []).append(dice(classes == value, true == value))
            if not np.isin(true, GROUPS['canal']).any():
                false_canal.append(round(float(np.isin(classes, GROUPS['canal']).sum() * NOMINAL_MM[orientation] ** 2), 1))
            reliability.add(probabilities, {name: np.isin(true, members) for name, members in GROUPS.items()}, np.ones(true.shape, bool))
        for name, members in GROUPS.items():
            if np.isin(true, members).sum() >= LEAST_PIXELS:
                pairs.append((name, dice(np.isin(shown['t1w'], members), np.isin(shown['t2w'], members))))
                if index in most.values():
                    middle_pairs.append(pairs[-1])
    by_group = lambda found: {contrast: {name: mean(values) for name, values in groups.items()} for contrast, groups in found.items()}
    over_contrasts = lambda found: {name: mean(value for groups in found.values() for value in groups.get(name, [])) for name in GROUPS}
    of_pairs = lambda found: {name: mean(value for key, value in found if key == name) for name in GROUPS}
    return dict(
        slices=len(cases), patients=len({patient['seed'] for patient, *_ in cases.slices}),
        midSagittal=dict(slices=len(most), byContrast=by_group(middle), all=over_contrasts(middle), t1wAgainstT2w=of_pairs(middle_pairs)),
        byContrast=by_group(by_contrast), all=over_contrasts(by_contrast),
        byClass={name: mean(values) for name, values in by_class.items()},
        t1wAgainstT2w=of_pairs(pairs),
        withoutCanal=dict(images=len(false_canal), falseCanalMm2=mean(false_canal), above=sum(area > FALSE_CANAL_MM2 for area in false_canal)),
        reliability=reliability.summary(),
    )


def area_errors(run, folder, threshold):
    """Areas of sac and cord in axial slices against the true ones, in per cent of these: median and median absolute, narrow canals and others apart."""
    cases = data.Simulated([folder], lambda seed: True)
    found = {}
    for index in range(len(cases)):
        for contrast in ('t1w', 't2w'):
            image, true = bank_image(cases, index, contrast, 'axial')
            area = np.isin(true, GROUPS['canal']).sum()
            if area < LEAST_PIXELS:
                continue
            shown = kept_canal(run(image), NOMINAL_MM['axial'], threshold).sum()
            size = 'narrow' if area * NOMINAL_MM['axial'] ** 2 < NARROW_MM2 else 'wide'
            found.setdefault(size, {}).setdefault(contrast, []).append(100 * (shown / area - 1))
    return {size: {contrast: dict(slices=len(errors), median=round(float(np.median(errors)), 1), medianAbsolute=round(float(np.median(np.abs(errors))), 1))
                   for contrast, errors in by_contrast.items()} for size, by_contrast in found.items()}


def fit_threshold(run, slices, cases):
    """The least mean probability of a region of canal at which no more than one in fifty of those kept is false (less than a fifth of it true)."""
    regions_found = []

    def collect(probabilities, true, known, pixel_mm):
        canal = np.isin(probabilities.argmax(0), GROUPS['canal']) & known
        sure = probabilities[list(GROUPS['canal'])].sum(0)
        regions, n = ndimage.label(canal)
        for region in range(1, n + 1):
            inside = regions == region
            if inside.sum() * pixel_mm**2 >= 10:
                regions_found.append((float(sure[inside].mean()), bool(true[inside].mean() >= 0.2)))

    for one in slices:
        probabilities, sets = measures.segmented_real(run, one)
        collect(probabilities, sets == CANAL, (sets != UNKNOWN) & (sets != BELOW), NOMINAL_MM['sagittal'])
    for orientation in ('sagittal', 'axial'):
        for index in cases.by_orientation[orientation]:
            for contrast in CONTRASTS:
                image, true = bank_image(cases, index, contrast, orientation)
                collect(run(image), np.isin(true, GROUPS['canal']), np.ones(true.shape, bool), NOMINAL_MM[orientation])
    table = []
    for threshold in np.arange(0.5, 0.96, 0.05):
        kept = [good for sure, good in regions_found if sure >= threshold]
        lost = [good for sure, good in regions_found if sure < threshold]
        table.append(dict(threshold=round(float(threshold), 2), kept=len(kept), false=kept.count(False), trueLost=lost.count(True)))
    enough = [row for row in table if row['false'] <= 0.02 * row['kept']]
    return dict(canal=(enough or table)[0]['threshold'], table=table)


def latency(run):
    image = np.random.default_rng(1).uniform(0, 2, (352, 352)).astype(np.float32)
    times = []
    for _ in range(8):
        began = time.process_time()
        run(image)
        times.append(1e3 * (time.process_time() - began))
    return round(float(np.median(times[1:])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=('model', 'fold', 'thresholds'))
    for name in ('model', 'checkpoint', 'data', 'bank', 'cases', 'thresholds', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path)
    parser.add_argument('--fold', type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == 'fold':
        net = SpineStructures()
        net.load_state_dict(torch.load(options.checkpoint)['average'])
        run, threshold = measures.of_torch(net.eval()), 0.0
        cases = SPLIT['folds'][options.fold]
    else:
        run = measures.of_onnx(options.model)
        cases = SPLIT['cases']['test' if options.what == 'model' else 'validation']
    space = [one for one in real.space_slices(options.data) if one.case in cases]
    if options.what == 'thresholds':
        found = fit_threshold(run, space, data.Simulated([options.cases], lambda seed: seed % data.LOOKED_AT_EVERY == 0))
    elif options.what == 'fold':
        found = real_results(run, space, threshold)
    else:
        threshold = json.loads(options.thresholds.read_text())['canal']
        found = dict(
            thresholds=json.loads(options.thresholds.read_text()),
            real=real_results(run, space, threshold),
            realT2w=real_results(run, [one for one in real.labelled_slices(options.data) if one.case in cases], threshold),
            lumbar=vertebra_results(run, options.data / 'spider-lumbar-t1t2'),
            sagittal=bank_results(run, options.bank, 'sagittal', threshold), axial=bank_results(run, options.bank, 'axial', threshold),
            sacArea=area_errors(run, options.bank / 'narrow', threshold),
            oneThreadCpuMs352=latency(run),
        )
    options.out.write_text(json.dumps(found, indent=1) + '\n')
    brief = lambda part: {key: value for key, value in part.items() if key in ('midSagittal', 'midSagittalWorst', 'all', 'byContrast', 'byClass', 't1wAgainstT2w', 'withoutCanal', 'vertebra', 'pair')}
    print(json.dumps({key: brief(value) if isinstance(value, dict) and key != 'thresholds' else value for key, value in found.items()} if options.what == 'model' else brief(found) or found, indent=1))


if __name__ == '__main__':
    main()
