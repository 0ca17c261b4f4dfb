"""What held-out cases tell of the network's own judgement: calibration.json, whose form synth/calibration.ts lays down.

    python3 calibrate.py --cases CASES --lesions LESIONS --model ../../synthesis-maps/model.onnx --out ../../synthesis-maps/calibration.json

CASES: patients whom training only looked at (bank.tuning), half of their slices with the relative scale known. LESIONS: patients alike those of the
bank, of either prior and with lesions of a kind, whom nothing saw (bank.CALIBRATION).

interval    the 90 % interval of a contrast is |S| +- 1.645 k s; k by interval.py, to pixels of LESIONS, of either prior every second slice with the
            relative scale unknown and known; `combined`: the same of the mean with the image-to-image network
gate        two ridge logistic regressions of ln(1 + feature) (gate.py) on slices as they are against slices with planted faults (faults.py), of the doubt and
            of the rest; the larger counts, the rest shifted so that 1 of 200 sound slices is beyond what 1 of 50 is beyond by the doubt: together
            they found less than the doubt alone, which knows but faults that it was trained on.
            amber: 2 of 100 sound slices are above; red: 1 of 400, extrapolated. localZ: 1 of 10 sound slices has a place above it
series      amber and red of the gate raised together until 1 of 50 of the series in LESIONS, judged as exams are, is amber: slices of one person are
            alike; and `echoTime`, what the network's answers on echo times of whole series come to (echo_time.py)
cannotTell  mean relative half width of STIR's interval that 2 of 100 vertebrae exceed

`--only interval` (with cannotTell), `--only gate` or `--only series` keeps what is there of the others.
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
from synthesiser import MISSING, Synthesiser, contrasts_of, truth_of

# At most, of a group in a slice.
HEALTHY_PIXELS, LESION_PIXELS = 150, 1200
QUALITY_EVERY = 2
LEAST_BODY = 2500
# Series by which the limits of exams are set.
EXAMS = 40
GATE_EVERY, FAULTS_A_SLICE, WRONG_EVERY = 2, 3, 3
# Echo times are judged by series.
GATED = tuple(kind for kind in faults.KINDS if kind != 'echoTime')
PARTS = dict(doubt=('doubt',), evidence=tuple(name for name in gate.FEATURES if name != 'doubt'))
SOUND_PERCENT = dict(doubt=98, evidence=99.5)
SEED = 31
# Signal equation alone, and the mean with the other network.
WAYS = ('interval', 'combined')


def options(known=False, third='none'):
    """An exam as the bank has it: nothing drawn but noise, shading and gains."""
    return data.Options(known=known, third=third, left_out='none', coarse=False, lesions=False)


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
    sound, faulty = np.log1p(found['none']), np.log1p(np.concatenate([found[kind] for kind in GATED]))
    x, y = np.concatenate([sound, faulty]), np.arange(len(sound) + len(faulty)) >= len(sound)
    parts, limits = {}, {}
    for part, names in PARTS.items():
        columns = [gate.FEATURES.index(name) for name in names]
        weights, bias = logistic(x[:, columns], y)
        limits[part] = np.percentile(sound[:, columns] @ weights + bias, SOUND_PERCENT[part])
        parts[part] = dict(bias=bias, weights=dict(zip(names, weights)))
    # Each has its say where its own limit is, which for the evidence is where hardly any sound slice is.
    parts['evidence']['bias'] += limits['doubt'] - limits['evidence']
    model = {part: dict(bias=round(float(one['bias']), 4), weights={name: round(float(weight), 4) for name, weight in one['weights'].items()}) for part, one in parts.items()}
    scores = np.array([gate_score(features, model) for features in found['none']])
    amber = np.percentile(scores, 98)
    return dict(model, amber=round(float(amber), 3), red=round(float(amber + 0.5 * (amber - np.median(scores))), 3), localZ=round(float(np.percentile(peaks, 90)), 2))


def gate_score(features, model):
    logs = dict(zip(gate.FEATURES, np.log1p(features)))
    return max(model[part]['bias'] + sum(weight * logs[name] for name, weight in model[part]['weights'].items()) for part in PARTS)


class Pixels:
    """What intervals are fitted to: signs, deviations, errors, areas and groups of pixels; and the vertebrae of sound slices."""

    def __init__(self, network):
        self.network = network
        self.parts = {(way, name): [] for way in WAYS for name in MISSING}
        self.groups, self.areas, self.vertebrae = [], [], []

    def take(self, cases, index, name, known):
        """Pixels of one slice of the set `name`."""
        patient, _, _ = cases.slices[index]
        made = data.make(cases, index, np.random.default_rng((SEED, patient['seed'], index)), options(known))
        body = truth_of(made, 'protonDensity') > 0.1
        if body.sum() < LEAST_BODY:
            return
        label, lesion = truth_of(made, 'label'), truth_of(made, 'lesion')
        group = groups_of(name, known, body, label, lesion, made['pixelMm'])
        rng = np.random.default_rng((SEED, patient['seed'], index, known))
        chosen = []
        for each in np.unique(group[group != '']):
            where = np.flatnonzero(group == each)
            some = rng.permutation(where)[: HEALTHY_PIXELS if each.startswith('tissue') else LESION_PIXELS]
            chosen.append(some)
            self.areas.append(np.full(len(some), len(where) / len(some)))
        chosen = np.concatenate(chosen)
        at = lambda image: image.ravel()[chosen]
        self.groups.append(at(group))
        maps, contrasts = self.network.of(made), contrasts_of(made)
        four = maps.maps[0].numpy()
        for (way, contrast), parts in self.parts.items():
            size, deviation = maps.delivered(contrast, contrasts[contrast]) if way == 'combined' else maps.sized(contrasts[contrast])
            error = np.abs(size - np.abs(truth_of(made, contrast)))
            parts.append((interval.signs_of(at(size), at(deviation), np.stack([at(image) for image in four])), at(deviation), at(error)))
            if (way, contrast) == ('combined', 'stir'):
                each = [label == v for v in np.unique(label[lesions.is_body(label)])]
                self.vertebrae += [(size[mask], deviation[mask], four[:, mask]) for mask in each if mask.sum() >= 120 and not lesion[mask].any()]

    def fitted(self):
        names, area = np.concatenate(self.groups), np.concatenate(self.areas)
        groups = {name: names == name for name in np.unique(names)}
        factors = {}
        for (way, contrast), parts in self.parts.items():
            each, deviation, error = zip(*parts)
            signs = {name: np.concatenate([one[name] for one in each]) for name in each[0]}
            deviation, error = np.concatenate(deviation), np.concatenate(error)
            factors.setdefault(way, {})[contrast] = interval.fit(signs, deviation, error, area, groups)
            inside = error <= interval.HALF_WIDTH * interval.factors_of(signs, factors[way][contrast]) * deviation
            print(way, contrast, {name: f'{100 * np.average(inside[mask], weights=area[mask]):.1f} % of {mask.sum()}' for name, mask in groups.items()})
        widths = []
        for size, deviation, maps in self.vertebrae:
            low, high = interval.interval_of(size, deviation, maps, factors['combined']['stir'])
            # As synth/verdict.ts has it: of a magnitude, which ends at zero.
            widths.append(((high - low) / 2 / (size + interval.FAINT)).mean())
        # Proton density and T1 weighting were not measured; fat saturation is what they share with T2 fat-sat.
        alone = factors['interval']
        return dict(
            interval={**alone, 'pdfs': alone['t2fs'], 't1fs': alone['t2fs']}, combined=factors['combined'],
            cannotTell=dict(relativeWidth=round(float(np.percentile(widths, 98)), 3)),
        )


def groups_of(name, known, body, label, lesion, pixel_mm):
    """With whom the coverage of each pixel is counted, as evaluate.py does; '': with none."""
    mode = 'known' if known else 'unknown'
    group = np.where(body, f'tissue, {name}, {mode}', '').astype('<U32')
    if name in bank.QUALITY:
        group[body & (lesion > 0)] = f'lesions, {mode}'
        return group
    group[lesion > 0] = ''
    for each in lesions.find(lesions.KINDS_OF[name], label, lesion, pixel_mm):
        group[each.mask] = each.kind
    return group


def calibrated_interval(network, lesioned):
    pixels = Pixels(network)
    for name, cases in lesioned.items():
        for index in range(0, len(cases), QUALITY_EVERY if name in bank.QUALITY else 1):
            for known in (False, True) if name in bank.QUALITY else (False,):
                pixels.take(cases, index, name, known)
    return pixels.fitted()


def calibrated_gate(network, cases):
    rng = np.random.default_rng(SEED)
    found, peaks = {kind: [] for kind in ('none', *GATED)}, []

    def look(made, kind):
        contrasts, maps = contrasts_of(made), network.of(made)
        features, z = gate.features(network, made['images'], made['exam'], contrasts, maps)
        found[kind].append(features)
        return z

    for turn, index in enumerate(range(0, len(cases), GATE_EVERY)):
        if (cases.image(index, 'protonDensity') > 0.1).sum() < LEAST_BODY:
            continue
        drawn = options(turn % 2 == 1)
        peaks.append(np.abs(look(data.make(cases, index, rng, drawn), 'none')).max())
        for step in range(FAULTS_A_SLICE):
            kind = GATED[(turn * FAULTS_A_SLICE + step) % len(GATED)]
            look(data.make(faults.Faulty(cases, index, kind, rng), index, rng, drawn), kind)
    return dict(gate=fit_gate({kind: np.array(rows) for kind, rows in found.items()}, peaks))


def calibrated_series(network, model, stacks):
    """The gate with limits that whole sound series keep, and what sound series say of their echo time."""
    excess, sound, wrong = [], [], []
    for turn, person in enumerate(series.persons(stacks)):
        scores, echoes = [], []
        for made in series.sound(stacks, person):
            maps = network.of(made)
            echoes.append(maps.doubts()[1])
            if turn < EXAMS:
                scores.append(gate_score(gate.features(network, made['images'], made['exam'], contrasts_of(made), maps)[0], model))
        te_ms = made['sequences']['t2w']['teMs']
        sound.append(echo_time.raw_ms(echoes, te_ms))
        if turn < EXAMS:
            excess.append(max(series.decisive(scores) - model['amber'], max(scores) - model['red']))
        if turn % WRONG_EVERY == 0:
            slices = list(series.faulty(stacks, person, 'echoTime').values())
            told_ms = slices[0]['sequences']['t2w']['teMs']
            wrong.append((echo_time.raw_ms([network.of(made).doubts()[1] for made in slices], told_ms), te_ms - told_ms))
    print('excess', np.round(np.sort(excess)[-6:], 2))
    rise = max(0.0, float(np.percentile(excess, 98)))
    return dict(gate=dict(model, amber=round(model['amber'] + rise, 3), red=round(model['red'] + rise, 3)), echoTime=echo_time.fit(sound, wrong))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('cases', 'lesions', 'model', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    parser.add_argument('--only', choices=('interval', 'gate', 'series'))
    arguments = parser.parse_args()
    cases, network = bank.tuning(arguments.cases), Synthesiser(arguments.model)
    calibration = json.loads(arguments.out.read_text()) if arguments.only else {}
    if arguments.only in (None, 'interval'):
        calibration.update(calibrated_interval(network, {name: bank.load(arguments.lesions, name, bank.CALIBRATION) for name in bank.CALIBRATION}))
    if arguments.only in (None, 'gate'):
        calibration.update(calibrated_gate(network, cases))
    if arguments.only in (None, 'series'):
        calibration.update(calibrated_series(network, calibration['gate'], bank.load(arguments.lesions, 'series', bank.CALIBRATION_SERIES)))
    arguments.out.write_text(json.dumps(calibration) + '\n')


if __name__ == '__main__':
    main()
