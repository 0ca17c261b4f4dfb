r"""Measures synthesis on the frozen bank (bank.py); prints a table and writes evaluation.json.

    python3 evaluate.py --bank BANK --train CASES --model ../../synthesis-maps/model.onnx --out ../../synthesis-maps

Methods: `delivered` is the mean of `equation`, what the maps make by the signal equation, and `direct`, the image-to-image network; `cubic` is of each pixel alone.
PSNR and SSIM are of the size of the signal per equilibrium magnetisation, in the body (proton density above 0.1) alone; the peak is the 99.5th percentile of the
truth there. No scale is fitted. SSIM: windows of 7 x 7, Wang 2004, doi 10.1109/TIP.2003.819861. Differences are paired;
their 95 % intervals are from 2000 bootstraps over patients; so is the deviation of coverages. All seeds are fixed. `--only NAME` measures
one section and keeps what evaluation.json has of the others.
"""

import argparse
import json
import pathlib
import time

import numpy as np
from scipy import ndimage

import bank
import calibrate
import data
import echo_time
import faults
import gate
import interval
import lesions
import series
from cubic import Cubic
from synthesiser import MISSING, Synthesiser, contrasts_of, truth_of

SEED = 4711
# So many slices of the bank are measured in the exams with a third image: every fourth.
OTHER_EXAMS_EVERY, LESIONED_EVERY = 4, 2
FAULTS_A_KIND = 50
# Series whose slices are judged by the gate; every third of them with each fault. Echo times are told of all series, and told wrong of every second.
GATED, FAULTY_EVERY, WRONG_EVERY = 36, 3, 2
LEAST_BODY = 3000
THRESHOLD_FINDS = 0.9
LESION_FROM_MM = 6.0
FRANK = 1.5


def psnr(shown, truth, body):
    peak = np.percentile(truth[body], 99.5)
    return float(10 * np.log10(peak**2 / ((shown - truth)[body] ** 2).mean()))


def psnr_scaled(shown, truth, body):
    """With the best factor for the whole slice: what a reader, who sets a window, sees."""
    x, y = shown[body], truth[body]
    return psnr(shown * ((x * y).sum() / max((x * x).sum(), 1e-9)), truth, body)


def ssim(shown, truth, body):
    size = np.percentile(truth[body], 99.5)
    box = tuple(slice(max(0, where.min() - 3), where.max() + 4) for where in np.nonzero(body))
    shown, truth, body = shown[box], truth[box], body[box]
    c1, c2 = 0.01**2, 0.03**2
    mean = lambda image: ndimage.uniform_filter(image, 7)
    x, y = np.where(body, shown / size, 0).astype(np.float32), np.where(body, truth / size, 0).astype(np.float32)
    mx, my, n = mean(x), mean(y), 49 / 48
    vx, vy, cov = n * (mean(x * x) - mx * mx), n * (mean(y * y) - my * my), n * (mean(x * y) - mx * my)
    return float((((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2)))[body].mean())


def bootstrap(differences, patients):
    """Mean and its 95 % interval over patients."""
    differences, patients = np.asarray(differences), np.asarray(patients)
    names = np.unique(patients)
    sums = np.array([differences[patients == name].sum() for name in names])
    counts = np.array([(patients == name).sum() for name in names])
    drawn = np.random.default_rng(SEED).integers(len(names), size=(2000, len(names)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return dict(mean=round(float(differences.mean()), 3), low=round(float(low), 3), high=round(float(high), 3), n=len(differences))


def auroc(sound, faulty):
    order = np.concatenate([sound, faulty])
    ranks = np.argsort(np.argsort(order)) + 1.0
    return float((ranks[len(sound) :].sum() - len(faulty) * (len(faulty) + 1) / 2) / (len(sound) * len(faulty)))


class Coverage:
    """How often the truth lies in the interval, and by how much that would differ with other patients as many."""

    def __init__(self, interval):
        self.interval, self.counts = interval, {}

    def add(self, contrast, where, patient, signal, deviation, maps, truth, mask):
        if not mask.any():
            return
        low, high = interval.interval_of(signal[mask], deviation[mask], maps[:, mask], self.interval[contrast])
        inside = (truth[mask] >= low) & (truth[mask] <= high)
        of_patients = self.counts.setdefault((contrast, where), {})
        of_patients[patient] = of_patients.get(patient, 0) + np.array([inside.sum(), mask.sum()])

    def table(self):
        table = {}
        for (contrast, where), of_patients in sorted(self.counts.items()):
            counts = np.array(list(of_patients.values()))
            drawn = counts[np.random.default_rng(SEED).integers(len(counts), size=(2000, len(counts)))].sum(1)
            covered, pixels = counts.sum(0)
            table.setdefault(contrast, {})[where] = dict(
                covered=round(float(100 * covered / pixels), 1), deviation=round(float((100 * drawn[:, 0] / drawn[:, 1]).std()), 1),
                patients=len(counts), pixels=int(pixels),
            )
        return table


class Evaluation:
    def __init__(self, arguments):
        self.bank = arguments.bank
        self.network = Synthesiser(arguments.model)
        self.cubic = Cubic(data.Cases(arguments.train)) if arguments.only in (None, 'quality') else None
        calibration = json.loads((arguments.out / 'calibration.json').read_text())
        self.gate, self.echo_time = calibration['gate'], calibration.get('echoTime')
        self.coverage = Coverage(calibration['combined'])

    def exam(self, cases, index, mode, read=None):
        """(made, maps, contrasts) of one slice in one of the exams; noise, shading and gains are the same whenever it is asked for."""
        known, third = dict(unknown=(False, 'none'), known=(True, 'none'), dixon=(False, 'dixon'), fatsat=(False, 'fatsat'))[mode]
        rng = np.random.default_rng((SEED, cases.slices[index][0]['seed'], index))
        made = data.make(read or cases, index, rng, calibrate.options(known, third))
        return made, self.network.of(made), contrasts_of(made)

    def quality(self):
        """PSNR and SSIM by prior, method and exam; fat fraction; fat in STIR; coverage of tissue."""
        results = {}
        for prior in bank.QUALITY:
            cases = bank.load(self.bank, prior)
            rows = []
            for index in range(len(cases)):
                modes = ('unknown', 'known', *(('dixon', 'fatsat') if index % OTHER_EXAMS_EVERY == 0 else ()))
                row = dict(patient=cases.slices[index][0]['seed'])
                for mode in modes:
                    made, maps, contrasts = self.exam(cases, index, mode)
                    body = truth_of(made, 'protonDensity') > 0.1
                    if body.sum() < LEAST_BODY:
                        break
                    true = {name: np.abs(truth_of(made, name)) for name in MISSING}
                    shown = {name: maps.delivered(name, contrasts[name])[0] for name in MISSING}
                    if mode in ('unknown', 'known'):
                        self.cover_tissue(f'{mode}, {prior} prior', f'{mode}, lesions', made, maps, contrasts)
                    self.score(row, mode, 'delivered', shown, true, body)
                    error = np.abs(maps.fat_fraction() - truth_of(made, 'fatFraction'))[body]
                    row[f'{mode} fat fraction'] = 100 * float(np.median(error))
                    bodies = lesions.is_body(truth_of(made, 'label')) & body
                    if bodies.sum() > 300:
                        marrow = np.abs(maps.fat_fraction() - truth_of(made, 'fatFraction'))[bodies]
                        row[f'{mode} fat fraction of vertebrae'] = 100 * float(np.median(marrow))
                    if mode == 'unknown':
                        self.fat_share(row, made, shown['stir'], true['stir'])
                        self.score(row, mode, 'equation', {name: maps.sized(contrasts[name])[0] for name in MISSING}, true, body)
                        self.score(row, mode, 'direct', maps.direct, true, body)
                        self.score(row, mode, 'cubic', self.cubic.images(made), true, body)
                rows.append(row)
            results[prior] = self.summary(rows)
        return results

    def cover_tissue(self, everywhere, in_lesions, made, maps, contrasts):
        body, lesion = truth_of(made, 'protonDensity') > 0.1, truth_of(made, 'lesion') > 0
        for name in MISSING:
            size, deviation = maps.delivered(name, contrasts[name])
            for where, mask in ((everywhere, body), (in_lesions, body & lesion)):
                self.coverage.add(name, where, made['patient']['seed'], size, deviation, maps.maps[0].numpy(), np.abs(truth_of(made, name)), mask)

    def cover_lesions(self, each, made, maps, contrasts):
        for name in MISSING:
            size, deviation = maps.delivered(name, contrasts[name])
            for one in each:
                group = 'in lesions of marrow' if one.kind in lesions.MARROW else 'in fatty lesions' if one.kind in lesions.FATTY else 'in fluid'
                for where in (f'in {one.kind}', group):
                    self.coverage.add(name, where, made['patient']['seed'], size, deviation, maps.maps[0].numpy(), np.abs(truth_of(made, name)), one.mask)

    def intervals(self):
        """Coverage of lesions of a kind in patients of the bank and in more."""
        for name in bank.LESIONED:
            for cases in (bank.load(self.bank, name), bank.load(self.bank / 'more', name, bank.MORE)):
                for index in range(len(cases)):
                    each = self.lesions_of(cases, index, name)
                    if each:
                        self.cover_lesions(each, *self.exam(cases, index, 'unknown'))

    def lesions_of(self, cases, index, name):
        """Lesions of the kinds of one set in a slice of it."""
        return lesions.find(lesions.KINDS_OF[name], cases.image(index, 'label'), cases.image(index, 'lesion'), cases.slices[index][1]['pixelMm'])

    def score(self, row, mode, method, shown, true, body):
        for name in MISSING:
            row[f'{mode} {method} {name} psnr'] = psnr(shown[name], true[name], body)
            row[f'{mode} {method} {name} ssim'] = ssim(shown[name], true[name], body)
        row[f'{mode} {method} stir psnr, scaled'] = psnr_scaled(shown['stir'], true['stir'], body)

    def fat_share(self, row, made, shown, true):
        """Mean fat signal of STIR over that of the acquired T2w, each relative to its own 99.5th percentile."""
        fat = ndimage.binary_erosion((truth_of(made, 'fatFraction') > 0.8) & (truth_of(made, 'protonDensity') > 0.7), iterations=2)
        if fat.sum() < 200:
            return
        body = truth_of(made, 'protonDensity') > 0.1
        acquired = made['images'][1]
        share = lambda image: image[fat].mean() / np.percentile(image[body], 99.5)
        row['fat shown'], row['fat true'], row['fat t2w'] = float(share(shown)), float(share(true)), float(share(acquired))
        # Signals per equilibrium magnetisation, the acquired without noise: the same unit.
        row['fat over t2w'] = float(shown[fat].mean() / truth_of(made, 't2w')[fat].mean())
        row['fat over t2w, true'] = float(true[fat].mean() / truth_of(made, 't2w')[fat].mean())

    def summary(self, rows):
        rows = [row for row in rows if len(row) > 1]
        keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key != 'patient']
        means = {key: round(float(np.mean([row[key] for row in rows if key in row])), 3) for key in keys}
        gains = {}

        def gain(label, better, worse):
            both = [row for row in rows if better in row and worse in row]
            if both:
                gains[label] = bootstrap([row[better] - row[worse] for row in both], [row['patient'] for row in both])

        for name in MISSING:
            for method in ('cubic', 'equation', 'direct'):
                gain(f'{name}: delivered over {method}, dB', f'unknown delivered {name} psnr', f'unknown {method} {name} psnr')
            gain(f'{name}: equation over direct, dB', f'unknown equation {name} psnr', f'unknown direct {name} psnr')
            for mode in ('known', 'dixon', 'fatsat'):
                gain(f'{name}: {mode} over unknown, dB', f'{mode} delivered {name} psnr', f'unknown delivered {name} psnr')
        return dict(means=means, gains=gains)

    def lesions(self):
        """By type: brighter than marrow, contrast, ratio."""
        found = {}
        self.detected = []
        for name in bank.LESIONED:
            cases = bank.load(self.bank, name)
            for index in range(len(cases)):
                label, pixel_mm = cases.image(index, 'label'), cases.slices[index][1]['pixelMm']
                each = self.lesions_of(cases, index, name)
                if not each:
                    continue
                made, maps, contrasts = self.exam(cases, index, 'unknown')
                images = dict(t2w=made['images'][1])
                for contrast in MISSING:
                    images[contrast], images[f'true {contrast}'] = maps.delivered(contrast, contrasts[contrast])[0], np.abs(truth_of(made, contrast))
                conspicuity = {
                    'stir': lesions.conspicuity_map(images['stir'], label, pixel_mm, maps.delivered('stir', contrasts['stir'])[1]),
                    'true stir': lesions.conspicuity_map(images['true stir'], label, pixel_mm),
                }
                for one in each:
                    found.setdefault(one.kind, []).append(
                        {key: (one.ratio(image), one.contrast_to_noise(image)) for key, image in images.items()} | dict(patient=cases.slices[index][0]['seed'])
                    )
                    if one.kind in lesions.MARROW and one.diameter_mm >= LESION_FROM_MM and one.ratio(images['true stir']) > 1:
                        highest = lambda image: float(np.nanmax(np.where(one.mask, image, np.nan), initial=-1))
                        frank = one.ratio(images['true stir']) >= FRANK
                        self.detected.append({key: highest(image) for key, image in conspicuity.items()} | dict(frank=frank))
        table = {kind: self.lesion_row(rows) for kind, rows in found.items()}
        for group, kinds in (('lesions of marrow', lesions.MARROW), ('fatty lesions', lesions.FATTY), ('fluid', lesions.FLUID)):
            table[f'all {group}'] = self.lesion_row([row for kind in kinds for row in found.get(kind, [])])
        frank = [row for kind in lesions.MARROW for row in found.get(kind, []) if row['true stir'][0] >= FRANK]
        table['frank lesions of marrow'] = self.lesion_row(frank)
        return table

    def lesion_row(self, rows):
        if not rows:
            return dict(n=0)
        ratio = {key: np.array([row[key][0] for row in rows]) for key in rows[0] if key != 'patient'}
        noise = {key: np.array([row[key][1] for row in rows]) for key in rows[0] if key != 'patient'}
        median = lambda values: round(float(np.median(values)), 3)
        cell = dict(n=len(rows))
        for key in ratio:
            cell[f'{key} brighter, share'] = round(float((ratio[key] > 1).mean()), 3)
            cell[f'{key} ratio'] = median(ratio[key])
            cell[f'{key} contrast to noise'] = median(noise[key])
        for name in MISSING:
            cell[f'{name} ratio over true'] = round(float(np.median(ratio[name]) / np.median(ratio[f'true {name}'])), 3)
            cell[f'{name} contrast to noise over t2w'] = round(float(np.median(noise[name]) / max(np.median(noise['t2w']), 1e-3)), 3)
        return cell

    def evidence(self, made, maps, contrasts):
        return gate.features(self.network, made['images'], made['exam'], contrasts, maps)[0]

    def invented(self):
        """What synthesis finds in healthy slices. After `lesions`."""
        cases = bank.load(self.bank, 'healthy')
        # At 90 % of all lesions that are brighter than marrow in the truth, and at 90 % of the frank ones.
        groups = dict(all=self.detected, frank=[row for row in self.detected if row['frank']])
        threshold = {
            (group, key): float(np.quantile([row[key] for row in rows], 1 - THRESHOLD_FINDS)) for group, rows in groups.items() for key in ('stir', 'true stir')
        }
        count = {group: dict(synthetic=0, true=0, invented=0) for group in groups}
        for index in range(len(cases)):
            made, maps, contrasts = self.exam(cases, index, 'unknown')
            label, pixel_mm = cases.image(index, 'label'), made['pixelMm']
            size, deviation = maps.delivered('stir', contrasts['stir'])
            shown = lesions.conspicuity_map(size, label, pixel_mm, deviation)
            true = lesions.conspicuity_map(np.abs(truth_of(made, 'stir')), label, pixel_mm)
            for group in groups:
                blobs = lesions.blobs(shown, threshold[group, 'stir'])
                count[group]['synthetic'] += len(blobs)
                count[group]['true'] += len(lesions.blobs(true, threshold[group, 'true stir']))
                count[group]['invented'] += sum(np.nanmax(true[blob]) < threshold[group, 'true stir'] for blob in blobs)
        return {
            group: dict(
                threshold=round(threshold[group, 'stir'], 3), trueThreshold=round(threshold[group, 'true stir'], 3), lesions=len(rows), slices=len(cases),
                **{f'{key} a slice': round(float(count[group][key] / len(cases)), 4) for key in count[group]},
            )
            for group, rows in groups.items()
        }

    def trust(self):
        """The gate's scores of sound slices, of the same ones with a fault, and of slices with lesions."""
        cases = bank.load(self.bank, 'healthy')
        found = {kind: [] for kind in ('none', *faults.KINDS)}
        times = dict(none=[], echoTime=[])
        outstanding = []
        step = max(1, len(cases) // FAULTS_A_KIND)
        for index in range(len(cases)):
            exam = self.exam(cases, index, 'unknown')
            found['none'].append(self.evidence(*exam))
            times['none'].append(self.raw_ms(exam))
            if index % step:
                continue
            for kind in faults.KINDS:
                read = faults.Faulty(cases, index, kind, np.random.default_rng((SEED, index, faults.KINDS.index(kind))))
                exam = self.exam(cases, index, 'unknown', read)
                found[kind].append(self.evidence(*exam))
                if kind == 'echoTime':
                    times[kind].append(self.raw_ms(exam))
                if kind == 'blob':
                    outstanding.append(self.outstanding(cases, index, read, *exam))
        lesioned = []
        for name in bank.LESIONED:
            with_lesions = bank.load(self.bank, name)
            lesioned += [
                calibrate.gate_score(self.evidence(*self.exam(with_lesions, index, 'unknown')), self.gate)
                for index in range(0, len(with_lesions), LESIONED_EVERY) if self.lesions_of(with_lesions, index, name)
            ]
        faulted = {kind: np.array(rows) for kind, rows in found.items()}
        scores = {kind: np.array([calibrate.gate_score(row, self.gate) for row in rows]) for kind, rows in found.items()}
        plain, sound = faulted.pop('none'), scores.pop('none')
        green = lambda values: round(float((np.array(values) < self.gate['amber']).mean()), 3)
        # In thirds, by how far they stand out of what the other image can tell.
        thirds = np.array_split(np.argsort(outstanding), 3)
        return dict(
            auroc={kind: round(auroc(sound, values), 3) for kind, values in scores.items() if kind != 'echoTime'},
            echoTimeOfSlices=round(auroc(np.abs(times['none']), np.abs(times['echoTime'])), 3),
            healthyGreen=green(sound),
            healthyRed=round(float((np.array(sound) >= self.gate['red']).mean()), 3),
            faultyGreen={kind: green(values) for kind, values in scores.items() if kind != 'echoTime'},
            lesionedGreen=green(lesioned),
            blobs=[
                dict(least=round(min(outstanding[k] for k in third), 1), most=round(max(outstanding[k] for k in third), 1), auroc=round(auroc(sound, scores['blob'][third]), 3))
                for third in thirds
            ],
            featureAuroc={
                kind: {name: round(auroc(plain[:, k], faulted[kind][:, k]), 2) for k, name in enumerate(gate.FEATURES) if name != 'misregistrationPixels'}
                for kind in faults.KINDS
            },
            n=dict(sound=len(sound), faulty=len(scores['blob']), lesioned=len(lesioned)),
            bank=bank.digest(self.bank, dict.fromkeys(bank.QUALITY, 0)),
        )

    def raw_ms(self, exam):
        """By how many ms the network takes the echo time of one slice for longer than stated."""
        made, maps, _ = exam
        return echo_time.raw_ms([maps.doubts()[1]], made['sequences']['t2w']['teMs'])

    def exams(self):
        """The gate on whole series, as the product judges exams: slices and echo time."""
        cases = bank.load(self.bank, 'series', bank.SERIES)
        persons = series.persons(cases)
        score = lambda made, maps: calibrate.gate_score(self.evidence(made, maps, contrasts_of(made)), self.gate)
        off = lambda made, maps: echo_time.error_of([each.doubts()[1] for each in maps], made[0]['sequences']['t2w']['teMs'], self.echo_time)
        found = {kind: [] for kind in ('none', *series.KINDS)}
        times = {kind: [] for kind in ('none', 'echoTime')}
        for turn, person in enumerate(persons):
            sound = series.sound(cases, person)
            maps = [self.network.of(made) for made in sound]
            told = off(sound, maps)
            times['none'].append(told)
            if turn % WRONG_EVERY == 0 or (turn < GATED and turn % FAULTY_EVERY == 0):
                slices = list(series.faulty(cases, person, 'echoTime').values())
                wrong = off(slices, [self.network.of(made) for made in slices])
                times['echoTime'].append(wrong)
            if turn >= GATED:
                continue
            scores = [score(*both) for both in zip(sound, maps)]
            found['none'].append((scores, told))
            for kind in series.KINDS if turn % FAULTY_EVERY == 0 else ():
                # The score of slices hardly knows of echo times.
                changed = {} if kind == 'echoTime' else {k: score(made, self.network.of(made)) for k, made in series.faulty(cases, person, kind).items()}
                slices = [changed.get(k, value) for k, value in enumerate(scores)]
                found[kind].append((slices, wrong if kind == 'echoTime' else told))
        deviations = lambda kind: np.array([abs(one[0]) / one[1] for one in times[kind]])
        # Of a fault that is in one slice alone, the largest score tells.
        worst = {kind: np.array([max(scores) for scores, _ in rows]) for kind, rows in found.items()}
        second = {kind: np.array([series.decisive(scores) for scores, _ in rows]) for kind, rows in found.items()}
        light = lambda rows: [self.light(series.decisive(scores), max(scores), told) for scores, told in rows]
        share = lambda rows, colour: round(light(rows).count(colour) / len(rows), 3)
        signed = np.array([one[0] for one in times['echoTime']])
        return dict(
            echoTime=dict(
                auroc=round(auroc(deviations('none'), deviations('echoTime')), 3),
                soundGreen=round(float((deviations('none') < self.echo_time['amber']).mean()), 3),
                wrongGreen=round(float((deviations('echoTime') < self.echo_time['amber']).mean()), 3),
                soundMs=round(float(np.std([one[0] for one in times['none']])), 1), wrongMs=[round(float(signed[signed > 0].mean()), 1), round(float(signed[signed <= 0].mean()), 1)],
                n=len(times['none']), nWrong=len(times['echoTime']),
            ),
            faults={
                kind: dict(
                    n=len(rows), green=share(rows, 'green'), amber=share(rows, 'amber'), red=share(rows, 'red'),
                    **({} if kind in ('none', 'echoTime') else dict(aurocOfWorst=round(auroc(worst['none'], worst[kind]), 3), auroc=round(auroc(second['none'], second[kind]), 3))),
                )
                for kind, rows in found.items()
            },
            greenBySlices=round(float(np.mean([self.light(series.decisive(scores), max(scores), None) == 'green' for scores, _ in found['none']])), 3),
            bank=bank.digest(self.bank, sets=bank.SERIES),
        )

    def light(self, decisive, worst, told):
        """As gateLight and judgeEchoTime have it (synth/trust.ts, synth/verdict.ts)."""
        if decisive >= self.gate['red']:
            return 'red'
        is_off = told is not None and abs(told[0]) >= self.echo_time['amber'] * told[1]
        return 'amber' if decisive >= self.gate['amber'] or worst >= self.gate['red'] or is_off else 'green'

    def outstanding(self, cases, index, read, made, maps, contrasts):
        """By how many standard deviations of what the other image tells of a place a blob changes it, in the mean over the blob."""
        (name,) = read.changed
        channel = ('t1w', 't2w').index(name)
        change = data.halved(np.abs(read.image(index, name) - cases.image(index, name)))
        predicted, deviation = self.network.alone(*gate.left_out(made['images'], made['exam'], channel)).signal(contrasts[name])
        image = data.halved(made['images'][channel])
        gain = gate.gain_of(image, predicted, image > gate.TISSUE_FROM)
        # Both over the mean of the measured image, as the gate has them.
        change = change * np.median(image[image > gate.TISSUE_FROM]) / np.median(data.halved(cases.image(index, name))[image > gate.TISSUE_FROM])
        spread = np.sqrt((gain * deviation) ** 2 + gate.FLOOR_OF_MEAN**2 + (gate.FLOOR_OF_PREDICTION * gain * predicted) ** 2)
        inside = change > 0.3 * change.max()
        return float((change / spread)[inside].mean())


def limits(found):
    """(what, measured, asked for, whether it holds) of everything that has a limit."""
    rows = []

    def row(what, value, asked, sign):
        if value is not None:
            rows.append(dict(what=what, value=value, asked=f'{">=" if sign > 0 else "<="} {asked}', holds=bool(sign * value >= sign * asked)))

    if 'quality' in found:
        for prior, least in (('wide', 0.65), ('narrow', 0.72)):
            part = found['quality'][prior]
            for name, title in (('stir', 'STIR'), ('t2fs', 'T2 fat-sat')):
                for label, what, asked in (('delivered over cubic', 'over the cubic', 3.0), ('delivered over direct', 'over the direct network', 0.5)):
                    gain = part['gains'].get(f'{name}: {label}, dB')
                    row(f'{title}, {prior} prior: {what}, dB', gain and gain['mean'], asked, 1)
                row(f'{title}, {prior} prior: SSIM', part['means'][f'unknown delivered {name} ssim'], least, 1)
                row(f'{title}, {prior} prior: more with the scale known, dB', part['gains'][f'{name}: known over unknown, dB']['mean'], 1.0, 1)
            for mode, title in (('dixon', 'Dixon'), ('fatsat', 'fat-sat')):
                row(f'STIR, {prior} prior: more with a {title} series, dB', part['gains'][f'stir: {mode} over unknown, dB']['mean'], 4.0, 1)
                row(f'{prior} prior: fat fraction with a {title} series, median error, points', part['means'][f'{mode} fat fraction'], 3.0, -1)
            row(f'{prior} prior: fat fraction, median error, points', part['means']['unknown fat fraction'], 6.0, -1)
            row(f'{prior} prior: fat in STIR over T2w', part['means']['fat over t2w'], 0.08, -1)
    if 'lesions' in found:
        for kind in (*lesions.MARROW, *lesions.FLUID):
            part = found['lesions'].get(kind, dict(n=0))
            if part['n']:
                row(f'{kind}: brighter than marrow in STIR (T2w: {part["t2w brighter, share"]})', part['stir brighter, share'], part['t2w brighter, share'], 1)
                row(f'{kind}: contrast to noise over T2w', part['stir contrast to noise over t2w'], 1.5, 1)
                row(f'{kind}: lesion to marrow over the true one', part['stir ratio over true'], 0.7, 1)
        for kind in lesions.FATTY:
            part = found['lesions'].get(kind, dict(n=0))
            if part['n']:
                row(f'{kind}: brighter than marrow in STIR (true: {part["true stir brighter, share"]})', part['stir brighter, share'], round(part['true stir brighter, share'] + 0.05, 3), -1)
    if 'invented' in found:
        for group, title in (('all', 'all'), ('frank', 'frank')):
            part = found['invented'][group]
            row(f'false lesions a healthy slice, at 90 % of {title} ones (in the true STIR: {part["true a slice"]})', part['synthetic a slice'], 0.05, -1)
    if 'gate' in found:
        for kind, asked in dict(blob=0.95, patch=0.85, patient=0.98, shift=0.95).items():
            row(f'gate: AUROC, {kind}', found['gate']['auroc'][kind], asked, 1)
        row('gate: healthy slices green', found['gate']['healthyGreen'], 0.95, 1)
    if 'exams' in found:
        row('gate on series: AUROC, echoTime', found['exams']['echoTime']['auroc'], 0.85, 1)
        row('gate on series: healthy exams green', found['exams']['faults']['none']['green'], 0.95, 1)
    for contrast, table in found.get('coverage', {}).items():
        for where, cell in table.items():
            holds = 87 <= cell['covered'] <= 93
            rows.append(dict(what=f'90 % interval of {contrast}, {where}: covers, %', value=cell['covered'], asked='87 to 93', holds=holds))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('bank', 'train', 'model', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    parser.add_argument('--only', choices=('quality', 'lesions', 'healthy', 'intervals', 'gate', 'exams'))
    arguments = parser.parse_args()
    evaluation = Evaluation(arguments)
    started = time.process_time()
    stored = arguments.out / 'evaluation.json'
    found = json.loads(stored.read_text()) if arguments.only and stored.exists() else {}
    if arguments.only in (None, 'intervals'):
        evaluation.intervals()
        found['coverageOn'] = dict(bank=bank.digest(arguments.bank, {'healthy': 0}), more=bank.digest(arguments.bank / 'more', sets=bank.MORE))
    if arguments.only in (None, 'quality'):
        found['bank'] = bank.digest(arguments.bank)
        found['quality'] = evaluation.quality()
    if arguments.only in (None, 'lesions', 'healthy'):
        found['lesions'] = evaluation.lesions()
    if arguments.only in (None, 'healthy'):
        found['invented'] = evaluation.invented()
    if arguments.only in (None, 'gate'):
        found['gate'] = evaluation.trust()
    if arguments.only in (None, 'exams'):
        found['exams'] = evaluation.exams()
    for contrast, table in evaluation.coverage.table().items():
        found.setdefault('coverage', {}).setdefault(contrast, {}).update(table)
    found['limits'] = limits(found)
    for each in found['limits']:
        print(f'{"" if each["holds"] else "MISSED":7}{each["what"]}: {each["value"]} (asked for {each["asked"]})')
    print(f'{time.process_time() - started:.0f} s of processor time')
    stored.write_text(json.dumps(found, indent=1) + '\n')


if __name__ == '__main__':
    main()
