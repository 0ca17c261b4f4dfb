"""What held-out cases tell of the network's own judgement: calibration.json, whose form synth/calibration.ts lays down.

    python3 calibrate.py --cases CASES --model ../../synthesis-maps/model.onnx --out ../../synthesis-maps/calibration.json

From patients whom training only looked at (bank.tuning), half of their slices with the relative scale known; for the intervals also with
lesions of marrow painted on top (data.py).

interval    the 90 % interval of a contrast is |S| +- 1.645 k s; k in bins of s / (|S| + 0.02) and |S| is the 90 % quantile of
            |error| / s over 1.645. Lesions count more in it, by the factor that covers them and all tissue most alike
gate        ridge logistic regression of ln(1 + feature) (gate.py) on slices as they are against slices with planted faults (faults.py).
            amber: 2 of 100 sound slices are above; red: 1 of 400, extrapolated. localZ: 1 of 10 sound slices has a place above it
cannotTell  mean relative half width of STIR's interval that 2 of 100 vertebrae exceed
"""

import argparse
import json
import pathlib

import numpy as np

import bank
import data
import faults
import gate
import lesions
import signals
from synthesiser import Synthesiser, contrasts_of, truth_of

NOMINAL = 0.9
HALF_WIDTH = 1.6448536269514722
FAINT = 0.02
WIDTH_BINS, BRIGHTNESS_BINS = 6, 5
LEAST_PIXELS = 1500
PIXELS = 2500
FAULTS_A_SLICE = 3
LESION_WEIGHTS = (1, 2, 4, 8, 16, 32, 64)
SEED = 31
MISSING = ('stir', 't2fs')


def options(known=False, third='none', lesions_on_top=False):
    """An exam as the bank has it: nothing drawn but noise, shading and gains; or with lesions of marrow painted on top."""
    return data.Options(known=known, third=third, left_out='none', coarse=False, lesions=lesions_on_top)


def factors_of(size, deviation, table):
    width = np.digitize(deviation / (size + FAINT), table['widthEdges'])
    return np.asarray(table['factors'])[width, np.digitize(size, table['brightnessEdges'])]


def interval_of(size, deviation, table):
    """(low, high) of |S|, nominally 90 %."""
    half = HALF_WIDTH * factors_of(size, deviation, table) * deviation
    return np.maximum(0, size - half), size + half


def weighted_quantile(values, weights, share):
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    return values[order[min(np.searchsorted(cumulated, share * cumulated[-1]), len(order) - 1)]]


def fit_interval(size, deviation, truth, lesion):
    """Table of one contrast from pixels of the body."""
    inner = lambda values, count: np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])
    # Lesions have edges of their own, so that where they lie is parted finely.
    both = lambda values, count: np.concatenate([inner(values, count), inner(values[lesion], 4)])
    edges = dict(
        widthEdges=np.unique(inner(deviation / (size + FAINT), WIDTH_BINS).round(4)).tolist(),
        brightnessEdges=np.unique(both(size, BRIGHTNESS_BINS).round(4)).tolist(),
    )
    error = np.abs(truth - size) / deviation / HALF_WIDTH
    tables = []
    for lesion_weight in LESION_WEIGHTS:
        weight = np.where(lesion, float(lesion_weight), 1.0)
        everywhere = weighted_quantile(error, weight, NOMINAL)
        width = np.digitize(deviation / (size + FAINT), edges['widthEdges'])
        brightness = np.digitize(size, edges['brightnessEdges'])
        factors = np.full((len(edges['widthEdges']) + 1, len(edges['brightnessEdges']) + 1), everywhere)
        for i, j in np.ndindex(factors.shape):
            here = (width == i) & (brightness == j)
            if here.sum() > 50:
                trust = min(1.0, here.sum() / LEAST_PIXELS)
                factors[i, j] = trust * weighted_quantile(error[here], weight[here], NOMINAL) + (1 - trust) * everywhere
        table = dict(**edges, factors=np.maximum(factors, 0.05).round(3).tolist())
        inside = error <= factors_of(size, deviation, table)
        tables.append((max(abs(inside[~lesion].mean() - NOMINAL), abs(inside[lesion].mean() - NOMINAL)), table))
    return min(tables, key=lambda pair: pair[0])[1]


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


class Collected:
    """What calibration is fitted to."""

    def __init__(self, network):
        self.network = network
        self.samples = {name: [] for name in MISSING}
        self.found = {kind: [] for kind in ('none', *faults.KINDS)}
        self.peaks, self.vertebrae = [], []

    def look(self, made, kind):
        contrasts, maps = contrasts_of(made), self.network.maps(made['images'], made['exam'])
        features, z = gate.features(self.network, made['images'], made['exam'], contrasts, maps)
        self.found[kind].append(features)
        return contrasts, maps, z

    def sound(self, made, rng):
        contrasts, maps, z = self.look(made, 'none')
        self.peaks.append(np.abs(z).max())
        self.sample(made, maps, contrasts, rng)
        size, deviation = maps.signal(contrasts['stir'])
        label, lesion = truth_of(made, 'label'), truth_of(made, 'lesion') > 0
        vertebrae = [label == v for v in np.unique(label[lesions.is_body(label)])]
        self.vertebrae += [(np.abs(size[mask]), deviation[mask]) for mask in vertebrae if mask.sum() >= 120 and not lesion[mask].any()]

    def sample(self, made, maps, contrasts, rng):
        """Pixels of the body for the intervals; all of lesions."""
        body = truth_of(made, 'protonDensity') > 0.1
        lesion = ((truth_of(made, 'lesion') > 0) | (truth_of(made, 'painted') > 0.3)) & body
        chosen = np.concatenate([rng.choice(np.flatnonzero(body & ~lesion), PIXELS), np.flatnonzero(lesion)])
        for name, kept in self.samples.items():
            signal, deviation = maps.signal(contrasts[name])
            kept.append([image.ravel()[chosen] for image in (np.abs(signal), deviation, np.abs(truth_of(made, name)), lesion)])

    def calibration(self):
        interval = {name: fit_interval(*(np.concatenate(part) for part in zip(*kept))) for name, kept in self.samples.items()}
        # Proton density and T1 weighting were not measured; fat saturation is what they share with T2 fat-sat.
        interval = {**interval, 'pdfs': interval['t2fs'], 't1fs': interval['t2fs']}
        widths = [(HALF_WIDTH * factors_of(s, d, interval['stir']) * d / (s + FAINT)).mean() for s, d in self.vertebrae]
        return dict(
            interval=interval,
            gate=fit_gate({kind: np.array(rows) for kind, rows in self.found.items()}, self.peaks),
            cannotTell=dict(relativeWidth=round(float(np.percentile(widths, 98)), 3)),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('cases', 'model', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    parser.add_argument('--every', type=int, default=1, help='slices: every so many, for a quick look')
    arguments = parser.parse_args()
    cases = bank.tuning(arguments.cases)
    rng = np.random.default_rng(SEED)
    collected = Collected(Synthesiser(arguments.model))
    for turn, index in enumerate(range(0, len(cases), arguments.every)):
        if (cases.image(index, 'protonDensity') > 0.1).sum() < PIXELS:
            continue
        known = turn % 2 == 1
        drawn = options(known)
        more = data.make(cases, index, rng, options(known, lesions_on_top=True), signals.lesion_signals(data.sequence_numbers))
        collected.sample(more, collected.network.maps(more['images'], more['exam']), contrasts_of(more), rng)
        collected.sound(data.make(cases, index, rng, drawn), rng)
        for step in range(FAULTS_A_SLICE):
            kind = faults.KINDS[(turn * FAULTS_A_SLICE + step) % len(faults.KINDS)]
            collected.look(data.make(faults.Faulty(cases, index, kind, rng), index, rng, drawn), kind)
    arguments.out.write_text(json.dumps(collected.calibration()) + '\n')


if __name__ == '__main__':
    main()
