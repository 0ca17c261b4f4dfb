"""What any method could reach in synthesising STIR and T2 fat-sat, and in the fat fraction, from what an exam has: an oracle that lacks nothing
but the person.

    npx tsx paint.ts SLICES/wide --first 5000 --count 20 --prior wide --slices 5 --as shares           # slices of the bank
    npx tsx paint.ts SLICES/narrow --first 6000 --count 20 --prior narrow --slices 5 --as shares
    python3 limits.py --slices SLICES --bank BANK --model ../../synthesis-maps/model.onnx --out LIMITS.json

The oracle is told which tissue each pixel is made of, the sequences, and of whom the person is one: tissues are drawn about the patient's by the
distribution that training and bank use (scanner.varied, wide or narrow), or about anybody's (`anyone`: wide, each tissue about that of some patient
of the folder with this field strength, as for someone who does not know the patient). It sees no shading, no misregistration and no fat shift.
It has the signal of every tissue in each image but for one factor an image, the gain, of which it knows nothing. Where the scale is known, the
ratio of the gains of T1w and T2w is told; the gain that both have in common stays unknown, as on the bank. Fat has one T1 for all tissues, drawn as
simulator/patient.ts draws it. What is seen of the signals:

    exact       all, without noise; the scale is told exactly
    tissues     with the noise of the bank (SNR from 12 to 80), averaged over all pixels of a tissue; the scale is told with an error of 2 %, as on the bank
    pixels      pixels of one tissue, each by itself with its own noise; only gains come from all tissues
    unlabelled  the same, and not even the tissue is told, only how much of the slice each tissue takes
    alone       a tissue by itself without noise, its gains known but for the network's error of their ratio (`doubt`); the scale is told exactly

For each slice so many persons are drawn, and E[signal | what is seen] is learnt from them by regression and judged on others:

    x_tc  = ln s_tc - sum_t u_t ln s_tc              what is left of the signal of tissue t in image c whatever the gain
    g_c   = E[sum_t u_t ln S_tc | x]                 ridge on x, on products of two within each tissue, and on the scale if told
    S_t   = E[S_t | x_tc + g_c, x]                   ridge on powers up to the third of the tissue's own calibrated signals, and on all x

that is the posterior mean given gains that all tissues tell, which are joined by gains, fat, and lesions that lie in marrow. `pixels` and `alone` leave
the last x out; `unlabelled` is the mean of S_t over tissues by their probability, each normal in the calibrated signals. No regression is better
than the posterior mean, so the errors are measured ones of a method that could be, not computed ones. `--check N` judges N slices also by
linear regression and by a perceptron of three layers on all x: what of the nonlinearity the cubic one leaves.

What bounds what. No method that knows less than the oracle has a smaller mean squared error than the posterior mean of `exact`: its PSNR is an upper bound,
but for what the regression loses. Differences between exams are no such bounds: to who knows less more can be told; and small errors may halve
without a larger one noticing. So beside them:

    scale     standard deviation of the oracle's error of ln (gain of T2w / gain of T1w): what the images tell of it without being told
    doubt     the network's error of the same, root mean square: by how much its maps, not told the scale, misjudge it (median over the body). No
              doubt of who sees what the network sees need be larger
    most      dB of STIR that the network would win if its mean squared error M fell by what the oracle's falls by from `unknown`, U, to an exam, K:
              -10 lg(1 - (U - K) / M), slice by slice

`most` of `known` in `alone` is the answer for the scale: all that it tells of a person, to one who doubts it as much as the network does. It holds as far as
a scale tells of nothing else, such as which tissue a pixel is of, and as the other errors stay what they are; it is no proof. For Dixon and fat-sat `most`
is only the person's part: their images tell of single pixels too, what tissue and how much of it, which the oracle knows; in `unlabelled` it does
not. Pixels of several tissues are in neither `pixels` nor `unlabelled`. PSNR and fat fraction as evaluate.py has them; differences are paired over
slices and persons, intervals bootstraps over patients.
"""

import argparse
import itertools
import json
import pathlib

import numpy as np
import torch

import bank
import calibrate
import data
import scanner
import signals
from evaluate import LEAST_BODY, OTHER_EXAMS_EVERY, bootstrap
from synthesiser import Synthesiser, contrasts_of, truth_of

SEED = 4711
LEARNT_FROM, JUDGED_ON = 6000, 300
# Of a slice so many pixels of the body are judged; where each is judged by itself, so many of one tissue.
BODY_PIXELS, SINGLE_PIXELS = 4000, 600
LEAST_PIXELS_OF_TISSUE, LEAST_VERTEBRA, LEAST_SIGNAL = 20, 20, 1e-3
WHOLLY_ONE = 0.9
PRIORS = dict(wide=('wide', 1.0, False), narrow=('narrow', 0.25, False), anyone=('wide', 1.0, True))
EXAMS = ('unknown', 'known', 'dixon', 'fatsat', 'fatsat, known')
# In these the scale is told.
TOLD = ('known', 'fatsat, known')
VERSIONS = ('exact', 'tissues', 'pixels', 'unlabelled', 'alone')
# Judged a pixel at a time, by fewer persons.
SINGLE, SINGLE_JUDGED_ON = ('pixels', 'unlabelled'), 60
ACQUIRED, MISSING = ('t1w', 't2w'), ('stir', 't2fs')
WANTED = (*MISSING, 'fat', 'pd')
# As simulator/patient.ts, data.make and data.measure have them.
FAT_T1_SPREAD, TOLD_SPREAD, DIXON_NOISE, SNR = 0.03, 0.02, 0.03, (12, 80)


class Slice:
    """What a slice is made of: `weights` [tissues, pixels] of pixels drawn in its body, and how many pixels each tissue takes in all."""

    def __init__(self, stored, about, sample, seed, index, tables):
        self.about, self.seed, self.index, self.tables = about, seed, index, tables
        named = signals.sequences_of([sample['sequences']], data.sequence_numbers)
        self.sequences = {name: {key: value[:, :, 0] for key, value in each.items()} for name, each in named.items()}
        flat = stored.numpy().reshape(len(stored), -1)
        shares = np.zeros((len(about['tissues']), flat.shape[1]), np.float32)
        for k in range(scanner.TISSUES_A_PIXEL):
            np.add.at(shares, (flat[k], np.arange(flat.shape[1])), flat[scanner.TISSUES_A_PIXEL + k] / np.float32(scanner.WHOLE_SHARE))
        body = np.flatnonzero(about['tissues'][:, 0].numpy() @ shares > 0.1)
        self.enough = len(body) >= LEAST_BODY
        self.present = np.flatnonzero(shares[:, body].sum(1) >= LEAST_PIXELS_OF_TISSUE)
        self.pixels = shares.sum(1)[self.present]
        where = np.random.default_rng((SEED, seed, index)).permutation(body)[:BODY_PIXELS]
        self.weights = shares[self.present][:, where].astype(np.float64)
        self.in_vertebra = (flat[2 * scanner.TISSUES_A_PIXEL][where] & scanner.IN_BODY) > 0

    def persons(self, n, width, anyone, turn=0):
        """Signals, density of protons and of fat by name of every tissue that is present, [n, tissues], in n persons."""
        generator = torch.Generator().manual_seed(10_000 * turn + 10 * self.seed + self.index)
        uniform = lambda low, high, *shape: low + (high - low) * torch.rand(shape, generator=generator)
        normal = lambda *shape: torch.randn(shape, generator=generator)
        centre = self.about['tissues'][None].expand(n, -1, -1)
        if anyone:
            whose = torch.randint(len(self.tables), centre.shape[:2], generator=generator)
            centre = self.tables.gather(0, whose[:, :, None].expand(-1, -1, 4))
        tissues = scanner.varied(centre, self.about['mild'][None].expand(n, -1, -1), torch.full((n, 1), width), uniform, normal)
        average = {key: value[:, :, 0] for key, value in signals.fat_times(self.about['field'][None]).items()}
        fat = dict(average, t1=average['t1'] * (1 + FAT_T1_SPREAD * normal(n, 1).clamp(-2, 2)))
        pd, t1, t2, ff = tissues[:, self.present].unbind(2)
        made = {name: sum(contrast.water_and_fat(pd, t1, t2, ff)) for name, contrast in signals.contrasts(self.sequences, fat).items()}
        return {name: value.double().numpy() for name, value in dict(made, fat=pd * ff, pd=pd).items()}


def slices_of(folder):
    """Every fourth slice of the patients in a folder, as evaluate.py takes them for its exams."""
    every = scanner.Slices(folder, 'cpu')
    patients = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob('*.json'), key=lambda path: int(path.stem))]
    samples = [(patient, sample) for patient in patients for sample in patient['samples']]
    for index in range(0, len(samples), OTHER_EXAMS_EVERY):
        patient, sample = samples[index]
        tables = torch.tensor([one['tissues'] for one in patients if one['fieldStrengthT'] == patient['fieldStrengthT']])
        one = Slice(every.stored[index], {key: value[index] for key, value in every.about.items()}, sample, patient['seed'], index, tables)
        if one.enough:
            yield one


def logarithms(rng, magnitudes, deviation):
    """Of what is measured with noise of this deviation; kept from running away where it drowns."""
    real, imaginary = rng.normal(size=(2, *magnitudes.shape)) * deviation
    return np.log(np.hypot(magnitudes + real, imaginary) + 0.5 * deviation + 1e-6)


class Seen:
    """What an exam shows of persons on a slice: `x` and the fat fractions, [persons, tissues] each, and all that is seen at once in `flat`."""

    def __init__(self, one, persons, exam, version, rng):
        self.version, self.rng = version, rng
        self.names = [*ACQUIRED, *(['t2fs'] if 'fatsat' in exam else [])]
        noisy = version not in ('exact', 'alone')
        snr = np.exp(np.random.default_rng((SEED, one.seed, one.index, 1)).uniform(*np.log(SNR), 2))[[0, 1, 1]]
        self.noise = [noisy * np.abs(one.weights.T @ persons[name].mean(0)).mean() / ratio for name, ratio in zip(self.names, snr)]
        self.dixon_noise = noisy * DIXON_NOISE
        bright = np.min([persons[name].mean(0) for name in self.names], 0) > LEAST_SIGNAL
        share = bright * one.pixels / (bright @ one.pixels)
        logs = [logarithms(rng, persons[name], noise / np.sqrt(one.pixels)) for name, noise in zip(self.names, self.noise)]
        means = [each @ share for each in logs]
        self.x = [each - mean[:, None] for each, mean in zip(logs, means)]
        self.means = np.stack(means, 1)
        self.level = np.stack([np.log(np.abs(persons[name]) + 1e-6) @ share for name in self.names], 1)
        self.true_fat = persons['fat'] / np.maximum(persons['pd'], 1e-6)
        self.fat = self.true_fat + self.dixon_noise / np.sqrt(one.pixels) * rng.normal(size=self.true_fat.shape) if exam == 'dixon' else None
        told = np.diff(self.means, axis=1)
        told = told + noisy * TOLD_SPREAD * rng.normal(size=told.shape)
        self.own = [each[:, bright] for each in (*self.x, *([] if self.fat is None else [self.fat]))]
        self.flat = np.concatenate([*self.own, *([told] if exam in TOLD else [])], 1)

    def calibrated(self, tissue, gain):
        """ln of a tissue's signals with these gains, and its fat fraction, [persons, images]."""
        return np.stack([*(x[:, tissue] + gain[:, c] for c, x in enumerate(self.x)), *([] if self.fat is None else [self.fat[:, tissue]])], 1)

    def pixel(self, persons, who, tissues, gain):
        """The calibrated signals of single pixels of these tissues with noise of their own, [persons, pixels, images]."""
        # means + x is ln of the signal as it is seen: what the gains take from it is known but for the error of `gain`.
        lost = (gain - self.means)[who]
        seen = [logarithms(self.rng, persons[name][who][:, tissues], noise) + lost[:, c, None] for c, (name, noise) in enumerate(zip(self.names, self.noise))]
        if self.fat is not None:
            fat = self.true_fat[who][:, tissues]
            seen.append(fat + self.dixon_noise * self.rng.normal(size=fat.shape))
        return np.stack(seen, -1)


class Ridge:
    """Least squares on standardised columns; those that are the same in all are left out."""

    def __init__(self, x, y, ridge=1e-6):
        self.mean, self.offset = x.mean(0), y.mean(0)
        deviation = x.std(0)
        self.scale = np.where(deviation > 1e-7, 1 / np.maximum(deviation, 1e-7), 0)
        x = (x - self.mean) * self.scale
        gram = x.T @ x
        gram[np.diag_indices(len(gram))] += ridge * len(x)
        self.weights = np.linalg.solve(gram, x.T @ (y - self.offset))

    def __call__(self, x):
        return ((x - self.mean) * self.scale) @ self.weights + self.offset


class Cubic:
    """All products of up to three standardised columns, [..., columns] to [..., products]."""

    def __init__(self, z):
        self.mean, self.scale = z.mean(0), np.maximum(z.std(0), 1e-7)

    def __call__(self, z):
        z = (z - self.mean) / self.scale
        which = [each for degree in (1, 2, 3) for each in itertools.combinations_with_replacement(range(z.shape[-1]), degree)]
        return np.stack([np.prod(z[..., list(each)], -1) for each in which], -1)


def products(seen, learn):
    """All that is seen, and the products of two of what is seen of a tissue."""
    centred = [own - own[learn].mean(0) for own in seen.own]
    return np.concatenate([seen.flat, *(a * b for a, b in itertools.combinations_with_replacement(centred, 2))], 1)


def by_perceptron(one, prior, exam, version, flat, wanted, judged, steps=4000, size=500, passes=20):
    """WANTED of the persons `judged`, learnt by three layers from as many others as it takes; flat and wanted of some to know their size by."""
    torch.manual_seed(SEED)
    mean, scale, centre = flat.mean(0), np.maximum(flat.std(0), 1e-7), wanted.mean(0)
    width = np.maximum(wanted.std(0), 1e-7).reshape(len(WANTED), -1).max(1).repeat(len(one.present))
    layers = [part for inputs in (flat.shape[1], 256, 256) for part in (torch.nn.Linear(inputs, 256), torch.nn.SiLU())]
    perceptron = torch.nn.Sequential(*layers, torch.nn.Linear(256, wanted.shape[1]))
    optimiser = torch.optim.Adam(perceptron.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    tensor = lambda values, offset, by: torch.tensor((values - offset) / by, dtype=torch.float32)
    for step in range(steps):
        if step % passes == 0:
            persons = one.persons(passes * size, *prior, turn=2 + step)
            x = tensor(Seen(one, persons, exam, version, np.random.default_rng((SEED, step))).flat, mean, scale)
            y = tensor(np.concatenate([persons[name] for name in WANTED], 1), centre, width)
        part = slice(step % passes * size, (step % passes + 1) * size)
        loss = ((perceptron(x[part]) - y[part]) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        return perceptron(tensor(judged, mean, scale)).double().numpy() * width + centre


def fat_fraction(made):
    return made['fat'] / np.maximum(made['pd'], 0.02)


def judge(one, prior, exam, version, doubt, method='cubic'):
    """Errors of one exam on a slice by name, each [persons]; of signals: mean squares over the squared peak."""
    rng = np.random.default_rng((SEED, one.seed, one.index, 2))
    n_judged = SINGLE_JUDGED_ON if version in SINGLE else JUDGED_ON
    persons = one.persons(LEARNT_FROM + n_judged, *prior)
    learn, judged = slice(0, LEARNT_FROM), slice(LEARNT_FROM, None)
    seen = Seen(one, persons, exam, version, rng)
    if version == 'alone':
        # The told ratio has no error; otherwise each image has one against the image before it.
        steps = rng.normal(size=(len(seen.level), len(seen.names) - 1)) * doubt * (exam not in TOLD)
        gain = seen.level + np.cumsum(np.concatenate([-steps[:, :1] / 2, steps], 1), 1)
    else:
        rich = seen.flat if method == 'linear' else products(seen, learn)
        gain = Ridge(rich[learn], seen.level[learn])(rich)
    row = dict(scale=np.diff((seen.level - gain)[judged], axis=1)[:, 0])
    each = lambda which, tissue: np.stack([persons[name][which, tissue] for name in WANTED], 1)
    in_vertebra = one.in_vertebra
    if version in SINGLE:
        found, true, in_vertebra = single_pixels(one, seen, persons, each, gain, learn, judged)
    else:
        if method == 'perceptron':
            every = np.concatenate([persons[name] for name in WANTED], 1)
            found = by_perceptron(one, prior, exam, version, seen.flat[learn], every[learn], seen.flat[judged])
            found = dict(zip(WANTED, np.split(found, len(WANTED), 1)))
        else:
            found = {name: np.zeros((n_judged, len(one.present))) for name in WANTED}
            for tissue in range(len(one.present)):
                own = Cubic(seen.calibrated(tissue, gain)[learn])
                x = seen.flat if method == 'linear' else own(seen.calibrated(tissue, gain))
                x = np.concatenate([x, seen.flat], 1) if method == 'cubic' and version != 'alone' else x
                signal = Ridge(x[learn], each(learn, tissue))(x[judged])
                for k, name in enumerate(WANTED):
                    found[name][:, tissue] = signal[:, k]
        found = {name: values @ one.weights for name, values in found.items()}
        true = {name: persons[name][judged] @ one.weights for name in WANTED}
    for name in MISSING:
        peak = np.percentile(np.abs(persons[name][judged] @ one.weights), 99.5, axis=1)
        row[name] = ((np.abs(found[name]) - np.abs(true[name])) ** 2).mean(1) / peak**2
    error = 100 * np.abs(fat_fraction(found) - fat_fraction(true))
    row['fat fraction'] = np.median(error, 1)
    if in_vertebra.sum() >= LEAST_VERTEBRA:
        row['fat fraction of vertebrae'] = np.median(error[:, in_vertebra], 1)
    return row


def single_pixels(one, seen, persons, each, gain, learn, judged):
    """What is found and true in pixels of one tissue, each by itself, [persons, pixels], and which lie in vertebrae."""
    largest, whole = one.weights.argmax(0), one.weights.max(0) > WHOLLY_ONE
    chosen = np.flatnonzero(whole)[:SINGLE_PIXELS]
    tissues = largest[chosen]
    z = seen.pixel(persons, judged, tissues, gain)
    taken = one.weights.sum(1) / one.weights.sum()
    found = np.zeros((*z.shape[:2], len(WANTED)))
    likelihood, most = np.zeros(z.shape[:2]), np.full(z.shape[:2], -np.inf)
    for tissue in np.unique(largest):
        learnt, wanted = seen.pixel(persons, learn, [tissue], gain)[:, 0], each(learn, tissue)
        cubic = Cubic(learnt)
        regression = Ridge(cubic(learnt), wanted)
        if seen.version == 'pixels':
            here = tissues == tissue
            found[:, here] = regression(cubic(z[:, here]))
            continue
        centred, covariance = z - learnt.mean(0), np.cov(learnt.T) + 1e-8 * np.eye(z.shape[2])
        log = np.log(taken[tissue]) - 0.5 * (np.linalg.slogdet(covariance)[1] + (centred @ np.linalg.inv(covariance) * centred).sum(-1))
        # Where a tissue is out of the question its powers are no matter, but must not run away.
        signal = np.clip(regression(cubic(z)), wanted.min(0), wanted.max(0))
        highest = np.maximum(most, log)
        old, new = np.exp(most - highest), np.exp(log - highest)
        likelihood, found, most = likelihood * old + new, found * old[..., None] + signal * new[..., None], highest
    if seen.version == 'unlabelled':
        found = found / likelihood[..., None]
    true = {name: persons[name][judged][:, tissues] for name in WANTED}
    return {name: found[..., k] for k, name in enumerate(WANTED)}, true, one.in_vertebra[chosen]


def decibels(share):
    return -10 * np.log10(share)


class Network:
    """The network on the same slices of the bank: told the scale and not, all else the same."""

    def __init__(self, folder, prior, patients, model):
        self.cases, self.network = bank.load(folder, prior, patients=patients), Synthesiser(model)

    def look(self, index):
        patient = self.cases.slices[index][0]['seed']
        made = data.make(self.cases, index, np.random.default_rng((SEED, patient, index)), calibrate.options(True, 'none'))
        contrasts = contrasts_of(made)
        body = truth_of(made, 'protonDensity') > 0.1
        true = np.abs(truth_of(made, 'stir'))
        peak = np.percentile(true[body], 99.5)
        told, untold = made['exam'], made['exam'].copy()
        untold[7] = untold[8] = 0
        maps = {name: self.network.of(dict(made, exam=exam)) for name, exam in dict(told=told, untold=untold).items()}
        error = {name: ((each.delivered('stir', contrasts['stir'])[0] - true)[body] ** 2).mean() / peak**2 for name, each in maps.items()}
        explained = [np.abs(maps['untold'].signal(contrasts[name])[0][body]) for name in ACQUIRED]
        seen = made['images'][:2, body]
        bright = (seen > 0.2).all(0) & (np.min(explained, 0) > LEAST_SIGNAL)
        # Images are over their means: what the maps say is the ratio of these.
        ratio = np.median(np.log(explained[1] / explained[0])[bright] - np.log(seen[1] / seen[0])[bright])
        return dict(error, patient=patient, doubt=ratio - np.log(made['means'][1] / made['means'][0]))


def rounded(value, digits=3):
    return round(float(value), digits)


def table_of(rows, patients):
    """rows: by exam, one a slice. Means over slices and persons; differences from `unknown` in dB."""
    table = {}
    for exam, each in rows.items():
        cell = {}
        # T2 fat-sat is not missing where it was measured.
        for name in MISSING if 'fatsat' not in exam else ('stir',):
            found = np.array([decibels(row[name]).mean() for row in each])
            cell[f'{name} psnr'] = rounded(found.mean())
            if exam != 'unknown':
                gained = found - np.array([decibels(row[name]).mean() for row in rows['unknown']])
                cell[f'{name} over unknown, dB'] = dict(bootstrap(gained, patients), median=rounded(np.median(gained)))
        for name in ('fat fraction', 'fat fraction of vertebrae'):
            values = [row[name].mean() for row in each if name in row]
            cell[name] = rounded(np.mean(values)) if values else None
        cell['scale, %'] = rounded(100 * np.sqrt(np.mean([row['scale'].var() for row in each])))
        table[exam] = cell
    return table


def most_of(rows, network):
    """dB that the network would win of STIR by exam, the mean over slices."""
    errors = {exam: np.array([row['stir'].mean() for row in each]) for exam, each in rows.items()}
    network = np.array([row['untold'] for row in network])
    return {exam: rounded(decibels(1 - (errors['unknown'] - errors[exam]) / np.maximum(network, errors['unknown'])).mean()) for exam in rows if exam != 'unknown'}


def network_row(looked):
    untold, told, doubt = (np.array([row[name] for row in looked]) for name in ('untold', 'told', 'doubt'))
    return {
        'slices': len(looked), 'stir psnr, untold': rounded(decibels(untold).mean()),
        'told over untold, dB': bootstrap(decibels(told) - decibels(untold), [row['patient'] for row in looked]),
        'doubt, %': rounded(100 * np.sqrt((doubt**2).mean())),
        'median size of the error, %': rounded(100 * np.median(np.abs(doubt))),
        'mean error, %': rounded(100 * doubt.mean()),
    }


def show(prior, version, table, most):
    for exam, cell in table.items():
        parts = []
        for name in MISSING:
            gain = cell.get(f'{name} over unknown, dB')
            more = f' ({gain["mean"]:+.2f}; {gain["low"]:+.2f} to {gain["high"]:+.2f}; median {gain["median"]:+.2f})' if gain else ''
            parts += [f'{name} {cell[f"{name} psnr"]:.2f}{more}'] if f'{name} psnr' in cell else []
        print(f'{prior:7} {version:10} {exam:13} {", ".join(parts)}, fat fraction {cell["fat fraction"]} (vertebrae {cell["fat fraction of vertebrae"]}), '
              f'scale {cell["scale, %"]} %' + (f', most {most[exam]:+.2f}' if exam in most else ''), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--slices', type=pathlib.Path, required=True)
    parser.add_argument('--bank', type=pathlib.Path, required=True)
    parser.add_argument('--model', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path)
    parser.add_argument('--count', type=int, default=25, help='slices of a prior')
    parser.add_argument('--check', type=int, default=0, help='so many slices judged by other regressions too')
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = dict(persons=dict(learnt=LEARNT_FROM, judged=JUDGED_ON), network={}, oracle={}, most={}, check={})
    looked = {}
    for prior, (folder, *settings) in PRIORS.items():
        slices = list(itertools.islice(slices_of(arguments.slices / folder), arguments.count))
        patients = [one.seed for one in slices]
        if folder not in looked:
            network = Network(arguments.bank, folder, len(list((arguments.slices / folder).glob('*.json'))), arguments.model)
            looked[folder] = [network.look(one.index) for one in slices]
            found['network'][folder] = network_row(looked[folder])
            print(folder, found['network'][folder], flush=True)
        doubt = found['network'][folder]['doubt, %'] / 100
        found['oracle'][prior], found['most'][prior] = {}, {}
        for version in VERSIONS:
            rows = {exam: [judge(one, settings, exam, version, doubt) for one in slices] for exam in EXAMS}
            found['oracle'][prior][version], found['most'][prior][version] = table_of(rows, patients), most_of(rows, looked[folder])
            show(prior, version, found['oracle'][prior][version], found['most'][prior][version])
        some = slices[:: max(1, len(slices) // max(1, arguments.check))][: arguments.check]
        for method in ('linear', 'cubic', 'perceptron') if some else ():
            rows = {exam: [judge(one, settings, exam, 'exact', doubt, method) for one in some] for exam in EXAMS[:4]}
            found['check'].setdefault(prior, {})[method] = table_of(rows, [one.seed for one in some])
            show(prior, method, found['check'][prior][method], {})
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + '\n')


if __name__ == '__main__':
    main()
