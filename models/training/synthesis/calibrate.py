"""What held-out cases tell of the network's own judgement: calibration.json, whose form synth/calibration.ts lays down.

    python3 calibrate.py --cases CASES --lesions LESIONS --model ../../synthesis-maps/model.onnx --out ../../synthesis-maps/calibration.json

CASES: patients whom training only looked at (bank.tuning), half of their slices with the relative scale known. LESIONS: patients with one
of each kind of lesion, whom nothing saw (bank.CALIBRATION).

interval    the 90 % interval of a contrast is |S| +- 1.645 k s; k by interval.py, to pixels of both, half of CASES also with lesions of marrow
            painted on top (data.py)
gate        ridge logistic regression of ln(1 + feature) (gate.py) on slices as they are against slices with planted faults (faults.py).
            amber: 2 of 100 sound slices are above; red: 1 of 400, extrapolated. localZ: 1 of 10 sound slices has a place above it
limits      amber and red raised together until 1 of 50 of the series in LESIONS, judged as exams are, is amber: slices of one person are alike
echoTime    what classes of tissue of a whole series tell of its echo time (echo_time.py), from CASES and the series in LESIONS. amber: 1 of 50 of
            these series is above, each judged by what the others tell
cannotTell  mean relative half width of STIR's interval that 2 of 100 vertebrae exceed

`--only interval` (with cannotTell), `--only gate`, `--only limits` or `--only echoTime` keeps what is there of the others.
"""

import argparse
import json
import pathlib

import numpy as np

import bank
import data
import echo_time
import faults
import gate
import interval
import lesions
import series
import signals
from synthesiser import Synthesiser, contrasts_of, truth_of

# Of a slice.
HEALTHY_PIXELS, LESION_PIXELS = 300, 600
LEAST_BODY = 2500
# Series by which the limits of exams are set.
EXAMS = 40
FAULTS_A_SLICE = 3
SEED = 31
MISSING = ('stir', 't2fs')
# Part healthy pixels by how far their person's tissues are from the average (paint.ts, the width of the prior).
WIDTHS = (0.5, 0.85)


def options(known=False, third='none', lesions_on_top=False):
    """An exam as the bank has it: nothing drawn but noise, shading and gains; or with lesions of marrow painted on top."""
    return data.Options(known=known, third=third, left_out='none', coarse=False, lesions=lesions_on_top)


def logistic(x, y, ridge=2.0, steps=40):
    """Weights and bias of a ridge logistic regression, both classes of equal weight, on standardised features: Newton's method."""
    mean, scale = x.mean(0), x.std(0) + 1e-6
    design = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    balance = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    penalty = np.diag([ridge] * x.shape[1] + [1e-6])
    weights = np.zeros(design.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        hessian = (design * (balance * p * (1 - p))[:, None]).T @ design + penalty
        weights -= np.linalg.solve(hessian, design.T @ (balance * (p - y)) + penalty @ weights)
    weights[:-1] /= scale
    return weights[:-1], weights[-1] - weights[:-1] @ mean


def fit_gate(found, peaks):
    """found: {'none' or kind of fault: [slices, features]}; peaks: largest averaged |z| of sound slices."""
    faulty = np.concatenate([found[kind] for kind in faults.KINDS])
    x = np.log1p(np.concatenate([found['none'], faulty]))
    weights, bias = logistic(x, np.arange(len(x)) >= len(found['none']))
    sound = np.log1p(found['none']) @ weights + bias
    amber = np.percentile(sound, 98)
    return dict(
        bias=round(float(bias), 4),
        weights={name: round(float(weight), 4) for name, weight in zip(gate.FEATURES, weights)},
        amber=round(float(amber), 3),
        red=round(float(amber + 0.5 * (amber - np.median(sound))), 3),
        localZ=round(float(np.percentile(peaks, 90)), 2),
    )


def gate_score(features, model):
    return float(np.log1p(features) @ np.array([model['weights'][name] for name in gate.FEATURES]) + model['bias'])


class Pixels:
    """What intervals are fitted to: signs, deviations, errors and groups of pixels; and the vertebrae of sound slices."""

    def __init__(self, network):
        self.network = network
        self.parts = {name: [] for name in MISSING}
        self.groups, self.vertebrae = [], []

    def take(self, cases, index, name, known, lesions_on_top=False):
        """Pixels of one slice; `name`: of the set in LESIONS, or 'cases'."""
        patient, sample, _ = cases.slices[index]
        rng = np.random.default_rng((SEED, patient['seed'], index, int(lesions_on_top)))
        signal_of = signals.lesion_signals(data.sequence_numbers) if lesions_on_top else None
        made = data.make(cases, index, rng, options(known, lesions_on_top=lesions_on_top), signal_of)
        body = truth_of(made, 'protonDensity') > 0.1
        if body.sum() < LEAST_BODY:
            return
        label, lesion, painted = (truth_of(made, key) for key in ('label', 'lesion', 'painted'))
        changed = ((lesion > 0) | (painted > 0.3)) & body
        chosen = np.concatenate([
            rng.permutation(np.flatnonzero(where))[:most] for where, most in ((body & ~changed, HEALTHY_PIXELS), (changed, LESION_PIXELS))
        ])
        at = lambda image: image.ravel()[chosen]
        self.groups.append(np.array([group_of(name, sample['priorWidth'], *each) for each in zip(at(changed), at(painted) > 0.3, at(lesion), at(label))]))
        maps, contrasts = self.network.maps(made['images'], made['exam']), contrasts_of(made)
        four = maps.maps[0].numpy()
        for contrast, parts in self.parts.items():
            signal, deviation = maps.signal(contrasts[contrast])
            size = np.abs(signal)
            error = np.abs(size - np.abs(truth_of(made, contrast)))
            parts.append((interval.signs_of(at(size), at(deviation), np.stack([at(image) for image in four])), at(deviation), at(error)))
            if contrast == 'stir' and not lesions_on_top:
                each = [label == v for v in np.unique(label[lesions.is_body(label)])]
                self.vertebrae += [(size[mask], deviation[mask], four[:, mask]) for mask in each if mask.sum() >= 120 and not changed[mask].any()]

    def fitted(self):
        names = np.concatenate(self.groups)
        groups = {name: names == name for name in np.unique(names) if (names == name).sum() >= 100}
        factors = {}
        for contrast, parts in self.parts.items():
            each, deviation, error = zip(*parts)
            signs = {name: np.concatenate([one[name] for one in each]) for name in each[0]}
            deviation, error = np.concatenate(deviation), np.concatenate(error)
            factors[contrast] = interval.fit(signs, deviation, error, groups)
            inside = error <= interval.HALF_WIDTH * interval.factors_of(signs, factors[contrast]) * deviation
            print(contrast, {name: f'{100 * inside[mask].mean():.1f} % of {mask.sum()}' for name, mask in groups.items()})
        widths = []
        for size, deviation, maps in self.vertebrae:
            low, high = interval.interval_of(size, deviation, maps, factors['stir'])
            # As synth/verdict.ts has it: of a magnitude, which ends at zero.
            widths.append(((high - low) / 2 / (size + interval.FAINT)).mean())
        # Proton density and T1 weighting were not measured; fat saturation is what they share with T2 fat-sat.
        return dict(interval={**factors, 'pdfs': factors['t2fs'], 't1fs': factors['t2fs']}, cannotTell=dict(relativeWidth=round(float(np.percentile(widths, 98)), 3)))


def group_of(name, width, is_changed, is_painted, lesion, label):
    """Of one pixel: what its coverage is counted with."""
    if not is_changed:
        return f'healthy, {["narrow", "middle", "wide"][np.digitize(width, WIDTHS)]}' if name == 'cases' else f'beside, {name}'
    if is_painted or name == 'cases':
        return 'painted' if is_painted else 'any lesion'
    kinds = [kind for kind, (where, code, sites) in lesions.TYPES.items() if where == name and lesion == code and (sites is None or label in sites)]
    return kinds[0] if kinds else 'any lesion'


def calibrated_interval(network, cases, lesioned):
    pixels = Pixels(network)
    for index in range(len(cases)):
        pixels.take(cases, index, 'cases', index % 2 == 1)
        if index % 2 == 0:
            pixels.take(cases, index, 'cases', index % 4 == 0, lesions_on_top=True)
    for name, each in lesioned.items():
        for index in range(len(each)):
            pixels.take(each, index, name, False)
    return pixels.fitted()


def calibrated_gate(network, cases):
    rng = np.random.default_rng(SEED)
    found, peaks = {kind: [] for kind in ('none', *faults.KINDS)}, []

    def look(made, kind):
        contrasts, maps = contrasts_of(made), network.maps(made['images'], made['exam'])
        features, z = gate.features(network, made['images'], made['exam'], contrasts, maps)
        found[kind].append(features)
        return z

    for turn, index in enumerate(range(len(cases))):
        if (cases.image(index, 'protonDensity') > 0.1).sum() < LEAST_BODY:
            continue
        drawn = options(turn % 2 == 1)
        peaks.append(np.abs(look(data.make(cases, index, rng, drawn), 'none')).max())
        for step in range(FAULTS_A_SLICE):
            kind = faults.KINDS[(turn * FAULTS_A_SLICE + step) % len(faults.KINDS)]
            look(data.make(faults.Faulty(cases, index, kind, rng), index, rng, drawn), kind)
    return dict(gate=fit_gate({kind: np.array(rows) for kind, rows in found.items()}, peaks))


def limits_of_exams(network, model, stacks):
    """The gate with limits that whole sound series keep."""
    excess = []
    for person in series.persons(stacks)[:EXAMS]:
        scores = []
        for made in series.sound(stacks, person):
            maps = network.maps(made['images'], made['exam'])
            scores.append(gate_score(gate.features(network, made['images'], made['exam'], contrasts_of(made), maps)[0], model))
        excess.append(max(series.decisive(scores) - model['amber'], max(scores) - model['red']))
    print('excess', np.round(np.sort(excess)[-6:], 2))
    rise = max(0.0, float(np.percentile(excess, 98)))
    return dict(gate=dict(model, amber=round(model['amber'] + rise, 3), red=round(model['red'] + rise, 3)))


def calibrated_echo_time(network, cases, stacks):
    of_slices = [echo_time.pixels_of_slice(network, data.make(cases, index, np.random.default_rng((SEED, index)), options(index % 2 == 1))) for index in range(len(cases))]
    of_series = [[echo_time.pixels_of_slice(network, made) for made in series.sound(stacks, person)] for person in series.persons(stacks)]
    every = of_slices + [pixels for slices in of_series for pixels in slices]
    centres = echo_time.centres_of(np.concatenate([pixels[0][::50] for pixels in every if pixels is not None]))
    centres = np.round(centres, 4)
    told = lambda slices: [echo_time.told_of_slice(pixels, centres) for pixels in slices]
    return dict(echoTime=dict(centres=centres.tolist(), **echo_time.fit(told(of_slices), [told(slices) for slices in of_series])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('cases', 'lesions', 'model', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    parser.add_argument('--only', choices=('interval', 'gate', 'limits', 'echoTime'))
    arguments = parser.parse_args()
    cases, network = bank.tuning(arguments.cases), Synthesiser(arguments.model)
    calibration = json.loads(arguments.out.read_text()) if arguments.only else {}
    if arguments.only in (None, 'interval'):
        lesioned = {name: bank.load(arguments.lesions, name, bank.CALIBRATION) for name in bank.CALIBRATION}
        calibration.update(calibrated_interval(network, cases, lesioned))
    if arguments.only in (None, 'gate'):
        calibration.update(calibrated_gate(network, cases))
    if arguments.only in (None, 'limits'):
        calibration.update(limits_of_exams(network, calibration['gate'], bank.load(arguments.lesions, 'series', bank.CALIBRATION_SERIES)))
    if arguments.only in (None, 'echoTime'):
        calibration.update(calibrated_echo_time(network, cases, bank.load(arguments.lesions, 'series', bank.CALIBRATION_SERIES)))
    arguments.out.write_text(json.dumps(calibration) + '\n')


if __name__ == '__main__':
    main()
