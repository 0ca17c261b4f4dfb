"""Trains the parameter network (maps) or the image-to-image baseline (direct) until a given time of day.

    OMP_NUM_THREADS=1 python3 train.py maps --cases CASES --out OUT --until HH:MM     # UTC; stop and start as you like

Loss of maps, over a batch of slices, with more weight on marrow and lesions:

    sum_c w_c log(mean (S_c(maps) - S_c)^2 + 1e-5)        the missing and the acquired contrasts by their signal equations: what PSNR
                                                          measures; the acquired ones are the self-consistency
    + absolute logarithm of the ratio of STIR signals in marrow and its lesions
    + absolute error of the maps themselves
    + negative log-likelihood (Student's t) of the same signals and of the fat fraction, which only the spread learns from: the signal's
      variance is sum (own_i g_i)^2 + (sum common_i g_i)^2 with the slopes g_i of the signal equation

One batch in five is of slices averaged over 2 x 2 pixels with T1w or T2w left out: the cross-prediction. Adam, one cycle
over wall time, clipping, moving average of the weights; inner layers in bfloat16 until the last tenth.
"""

import argparse
import copy
import json
import math
import pathlib
import sys
import time

import numpy as np
import torch

import data
import signals
from network import Direct, Maps

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from one_cycle import rate, until

SEED = 20261126
BATCH, COARSE_BATCH, COARSE_SHARE = 3, 6, 0.2
PEAK_RATE = 1e-3
SINGLE_PRECISION_FROM = 0.9
DECAY = 0.998
CLIP = 1.0
CONTRAST_WEIGHT = dict(stir=1.0, t2fs=0.6, t1w=0.25, t2w=0.25)
LIKELIHOOD_WEIGHT = dict(stir=0.1, t2fs=0.06, t1w=0.05, t2w=0.05)
MARROW_WEIGHT = 2.0
FLOOR = 1e-5
LEAST_SPREAD = 0.003


def load_batch(cases, rng, size, options):
    """Tensors of a batch: images, exam, truth by name, contrasts."""
    (images, exam, truth), made = data.batch(cases, rng, size, options, signals.lesion_signals(data.sequence_numbers))
    contrasts = signals.contrasts_of([one['sequences'] for one in made], [one['patient']['fieldStrengthT'] for one in made], data.sequence_numbers)
    named = {name: torch.from_numpy(np.ascontiguousarray(truth[:, k])) for k, name in enumerate(data.TRUTH)}
    return torch.from_numpy(images), torch.from_numpy(exam), named, contrasts, made


def log_error(shown, true, weight):
    """Mean over the batch of log of each slice's weighted mean squared error."""
    return torch.log((weight * (shown - true) ** 2).mean((1, 2)) + FLOOR).mean()


def marrow_ratio(shown, true, truth):
    """Mean absolute logarithm of the ratio of signals in vertebral bodies: marrow is dark in STIR, so that its squared errors are
    small where its contrast to a lesion is already lost."""
    body = truth['weight'] * ((truth['label'] >= 101) & (truth['label'] < 132))
    return (body * torch.log((shown + 0.015) / (true + 0.015)).abs()).sum() / (body.sum() + 1000)


def size_of(signal):
    """|signal| with a slope everywhere."""
    return torch.sqrt(signal**2 + 1e-8)


def likelihood(error, variance, weight):
    """Negative log-likelihood of Student's t with 4 degrees of freedom: its slope is bounded, whatever the error is."""
    return (weight * (2.5 * torch.log1p(error**2 / (4 * variance)) + 0.5 * torch.log(variance))).mean()


def maps_losses(net, images, exam, truth, contrasts, rng, low):
    maps, spread = net(images, exam, low)
    weight = truth['weight'] / truth['weight'].mean((1, 2), keepdim=True)
    total = maps.new_zeros(())
    still = maps.detach()
    for name, contrast in contrasts.items():
        shown = contrast.signal(maps)
        true = truth[name]
        total = total + CONTRAST_WEIGHT[name] * (
            log_error(size_of(shown), true.abs(), weight) if name == 'stir' else log_error(shown, true, weight)
        )
        if name == 'stir':
            total = total + MARROW_WEIGHT * marrow_ratio(size_of(shown), true.abs(), truth)
        with torch.no_grad():
            signal, slopes = contrast.signal_and_slopes(still)
            error = signal - true
        variance = ((spread[:, :4] * slopes) ** 2).sum(1) + (spread[:, 4:] * slopes).sum(1) ** 2 + LEAST_SPREAD**2
        total = total + LIKELIHOOD_WEIGHT[name] * likelihood(error, variance, weight)
    true_maps = signals.maps_of(truth['protonDensity'], truth['t1Ms'], truth['t2Ms'], truth['fatFraction'])
    # At an inversion time that nobody trained for, the maps have to stand by themselves.
    inverted = contrasts['stir']
    other = copy.copy(inverted)
    other.seq = dict(inverted.seq, ti=inverted.seq['ti'] * float(rng.uniform(0.5, 3.5)))
    other.delay = other.seq['ti']
    total = total + 0.2 * log_error(other.signal(maps), other.signal(true_maps), weight)
    tissue = weight * (truth['protonDensity'] > 0.1)
    water = tissue * (1 - truth['fatFraction'])
    fat_error = torch.sigmoid(maps[:, 3]) - truth['fatFraction']
    total = total + (tissue * (maps[:, 0] - true_maps[:, 0]).abs()).mean() * 0.3
    total = total + (water * (maps[:, 1] - true_maps[:, 1]).abs()).mean() * 0.3
    total = total + (water * (maps[:, 2] - true_maps[:, 2]).abs()).mean() * 0.3
    total = total + (tissue * fat_error.abs()).mean() * 8.0
    slope = (torch.sigmoid(still[:, 3]) * (1 - torch.sigmoid(still[:, 3]))).detach()
    total = total + 0.03 * likelihood(fat_error.detach(), (spread[:, 3] ** 2 + spread[:, 7] ** 2) * slope**2 + 0.01**2, tissue)
    return total


def direct_losses(net, images, exam, truth, contrasts, made, low):
    shown = net(images, exam, target_vector(made), low)
    weight = truth['weight'] / truth['weight'].mean((1, 2), keepdim=True)
    return sum(CONTRAST_WEIGHT[name] * log_error(shown[:, k], truth[name].abs(), weight) for k, name in enumerate(('stir', 't2fs')))


def target_vector(made):
    """Sequences of the missing contrasts for the baseline: [n, 8]."""
    rows = []
    for one in made:
        stir, t2fs = one['sequences']['stir'], one['sequences']['t2fs']
        train = lambda s: s['echoTrainLength'] * s['echoSpacingMs']
        rows.append([
            math.log(stir['trMs'] / 5000), math.log(stir['teMs'] / 50), math.log(stir['tiMs'] / 190), math.log(train(stir) / 110),
            math.log(t2fs['trMs'] / 4000), math.log(t2fs['teMs'] / 75), math.log(train(t2fs) / 140), 0.0,
        ])
    return torch.tensor(rows, dtype=torch.float32)


def validation(cases):
    """Fixed slices of patients that training does not see: unknown gain, known gain, T1w left out."""
    batches = []
    for known, third, left_out in ((False, 'none', 'none'), (True, 'none', 'none'), (False, 'dixon', 'none'), (False, 'none', 't1w')):
        rng = np.random.default_rng(7)
        options = data.Options(known=known, third=third, left_out=left_out, coarse=left_out != 'none', lesions=False)
        for _ in range(6):
            name = third if third != 'none' else left_out if left_out != 'none' else 'known' if known else 'unknown'
            batches.append((name, load_batch(cases, rng, 3, options)))
    return batches


def measure(net, kind, batches):
    """Mean PSNR of STIR (peak: 99.5th percentile of the truth in tissue) and median error of the fat fraction, by kind of batch."""
    results = {}
    with torch.no_grad():
        for name, (images, exam, truth, contrasts, made) in batches:
            if kind == 'maps':
                maps, spread = net(images, exam)
                signal, slopes = contrasts['stir'].signal_and_slopes(maps)
                stir = signal.abs()
                std = torch.sqrt(((spread[:, :4] * slopes) ** 2).sum(1) + (spread[:, 4:] * slopes).sum(1) ** 2 + LEAST_SPREAD**2)
                fat = torch.sigmoid(maps[:, 3])
            else:
                stir, fat = net(images, exam, target_vector(made))[:, 0], None
            for k in range(len(images)):
                body = truth['protonDensity'][k] > 0.1
                true = truth['stir'][k].abs()
                peak = torch.quantile(true[body][::7], 0.995)
                error = (stir[k] - true)[body]
                results.setdefault(f'{name} stir', []).append(float(10 * torch.log10(peak**2 / (error**2).mean())))
                if fat is not None:
                    results.setdefault(f'{name} ff', []).append(float((fat[k] - truth['fatFraction'][k])[body].abs().median()) * 100)
                    results.setdefault(f'{name} in 1.645 sd', []).append(float(((error.abs() / std[k][body]) < 1.645).float().mean()))
    return {key: round(float(np.mean(values)), 3) for key, values in results.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=('maps', 'direct'))
    parser.add_argument('--cases', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--until', required=True, help='UTC, HH:MM')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = options.out / f'{options.kind}.pt', options.out / f'{options.kind}-log.jsonl'
    torch.set_num_threads(1)
    torch.manual_seed(SEED)

    net = (Maps() if options.kind == 'maps' else Direct()).to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    adam = torch.optim.Adam(net.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99))
    step, start = 0, time.time()
    if checkpoint.exists():
        stored = torch.load(checkpoint)
        net.load_state_dict(stored['net'])
        average.load_state_dict(stored['average'])
        adam.load_state_dict(stored['adam'])
        step, start = stored['step'], stored['start']
    # Every 20th patient chooses nothing but is looked at while training.
    held = data.Cases(options.cases, lambda seed: seed % 20 == 0)
    cases = data.Cases(options.cases, lambda seed: seed % 20 != 0)
    rng = np.random.default_rng((SEED, step))
    batches = validation(held)
    end = until(options.until)

    def report(**numbers):
        line = dict(step=step, minutes=round((time.time() - start) / 60, 1), slices=len(cases), **numbers)
        print(json.dumps(line), flush=True)
        with log.open('a') as file:
            file.write(json.dumps(line) + '\n')

    def keep():
        state = dict(net=net.state_dict(), average=average.state_dict(), adam=adam.state_dict(), step=step, start=start)
        torch.save(state, checkpoint.with_suffix('.tmp'))
        checkpoint.with_suffix('.tmp').rename(checkpoint)

    recent, norms, kept, reported = [], [], time.time(), time.time()
    making = learning = 0.0
    while time.time() < end:
        fraction = (time.time() - start) / (end - start)
        for group in adam.param_groups:
            group['lr'] = rate(fraction, PEAK_RATE)
        low = fraction < SINGLE_PRECISION_FROM
        began = time.perf_counter()
        coarse = options.kind == 'maps' and rng.random() < COARSE_SHARE
        chosen = data.Options(left_out=str(rng.choice(['t1w', 't2w'])), coarse=True) if coarse else data.Options()
        images, exam, truth, contrasts, made = load_batch(cases, rng, COARSE_BATCH if coarse else BATCH, chosen)
        made_at = time.perf_counter()
        if options.kind == 'maps':
            loss = maps_losses(net, images, exam, truth, contrasts, rng, low)
        else:
            loss = direct_losses(net, images, exam, truth, contrasts, made, low)
        adam.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)))
        if not math.isfinite(norms[-1]):
            report(skipped=norms.pop())
            continue
        adam.step()
        with torch.no_grad():
            decay = min(DECAY, (1 + step) / (10 + step))
            for slow, fast in zip(average.parameters(), net.parameters()):
                slow.lerp_(fast, 1 - decay)
        making += made_at - began
        learning += time.perf_counter() - made_at
        step += 1
        recent.append(loss.item())
        if time.time() - reported > 150 or step == 50:
            report(
                loss=round(float(np.mean(recent)), 4), gradient=round(float(np.median(norms)), 3), rate=round(rate(fraction, PEAK_RATE), 6),
                makingMs=round(1e3 * making / len(recent)), learningMs=round(1e3 * learning / len(recent)),
                **measure(average, options.kind, batches),
            )
            recent, norms, reported, making, learning = [], [], time.time(), 0.0, 0.0
        if time.time() - kept > 120:
            keep()
            kept = time.time()
    keep()
    report(done=True, **measure(average, options.kind, batches))


if __name__ == '__main__':
    main()
