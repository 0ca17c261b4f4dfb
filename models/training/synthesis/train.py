"""Trains the parameter network (maps) and the image-to-image baseline (direct) side by side until a given time.

    OMP_NUM_THREADS=1 python3 train.py --slices SLICES --out OUT --until HH:MM     # UTC, or +SECONDS; stop and start as you like

Both learn from the same batches (scanner.py) in the same order, so that they are compared after the same training; the baseline does not
learn from batches with an image left out. Patients that are painted meanwhile are taken up.

Loss of maps, over a batch of slices, with more weight on marrow and lesions:

    sum_c w_c log(mean (S_c(maps) - S_c)^2 + 1e-5)        the missing and the acquired contrasts by their signal equations: what PSNR
                                                          measures; the acquired ones are the self-consistency
    + absolute logarithm of the ratio of STIR signals in marrow and its lesions, of pixels and of means over squares the size of a small lesion
    + absolute error of the maps themselves
    + negative log-likelihood (Student's t) of the same signals and of the fat fraction, which only the spread learns from: the signal's
      variance is sum (own_i g_i)^2 + (sum common_i g_i)^2 with the slopes g_i of the signal equation
    + cross entropy of the doubt, of pixels and of slices (ln of the sum of the pixels' odds), and squared error of the echo time's, to which
      some slices with faults (scanner.py) belong that the maps do not learn from

One batch in five is of slices averaged over 2 x 2 pixels with T1w or T2w left out: the cross-prediction. Adam, one cycle
over wall time, clipping, moving average of the weights; inner layers in bfloat16 until the last part. On a GPU where there is one. There thousands
of small kernels a step take longer to start than to run: several batches are drawn at once, and the loss is compiled.
"""

import argparse
import copy
import json
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import data
import signals
from network import Direct, Maps
from scanner import Scanner, Slices

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from makers import learning_device
from one_cycle import rate, until

SEED = 20261126
COARSE_TIMES, COARSE_SHARE = 2, 0.2
PEAK_RATE = 1e-3
SINGLE_PRECISION_FROM = 0.93
DECAY = 0.999
CLIP = 1.0
CONTRAST_WEIGHT = dict(stir=1.0, t2fs=0.6, t1w=0.25, t2w=0.25)
LIKELIHOOD_WEIGHT = dict(stir=0.1, t2fs=0.06, t1w=0.05, t2w=0.05)
MARROW_WEIGHT = 1.5
SMALL_LESION_PIXELS = 4
FLOOR = 1e-5
# Slices with faults beside so many sound ones; steps whose batches are drawn at once.
FAULTY_SHARE, DRAWN_STEPS = 0.25, 4
DOUBT_WEIGHT, SLICE_DOUBT_WEIGHT, ECHO_WEIGHT = 3.0, 0.5, 0.1
# Pixels of a fault weigh so many of the others; as many doubtful ones make a doubtful slice.
FAULT_PIXEL_WEIGHT, DOUBTFUL_PIXELS = 10.0, 30
TISSUE_FROM = 0.15
ECHO_UNIT = 0.1
LEAST_SPREAD = 0.003
TAKE_UP_SECONDS = 15


def is_trained_on(seed):
    """Every 20th patient chooses nothing but is looked at while training."""
    return seed % 20 != 0


def log_error(shown, true, weight):
    """Mean over the batch of log of each slice's weighted mean squared error."""
    return torch.log((weight * (shown - true) ** 2).mean((1, 2)) + FLOOR).mean()


def marrow_ratio(shown, true, truth):
    """Mean absolute logarithm of the ratio of signals in vertebral bodies: marrow is dark in STIR, so that its squared errors are
    small where its contrast to a lesion is already lost."""
    body = truth['weight'] * truth['body']
    return (body * torch.log((shown + 0.015) / (true + 0.015)).abs()).sum() / (body.sum() + 1000)


def coarse_marrow_ratio(shown, true, truth):
    """The same of means over squares: what is left of mottling there looks like a lesion."""
    mean = lambda image: F.avg_pool2d((image * truth['body'])[:, None], SMALL_LESION_PIXELS)
    coarse = dict(weight=mean(truth['weight']), body=(F.avg_pool2d(truth['body'][:, None], SMALL_LESION_PIXELS) > 0.99).float())
    return marrow_ratio(mean(shown), mean(true), coarse)


def size_of(signal):
    """|signal| with a slope everywhere."""
    return torch.sqrt(signal**2 + 1e-8)


def likelihood(error, variance, weight):
    """Negative log-likelihood of Student's t with 4 degrees of freedom: its slope is bounded, whatever the error is."""
    return (weight * (2.5 * torch.log1p(error**2 / (4 * variance)) + 0.5 * torch.log(variance))).mean()


def maps_losses(maps, spread, truth, sequences, field, other_inversion):
    """Terms of the loss of maps and spread by name; the loss is their sum."""
    contrasts = signals.contrasts(sequences, signals.fat_times(field))
    weight = truth['weight'] / truth['weight'].mean((1, 2), keepdim=True)
    terms = {}
    still = maps.detach()
    for name, contrast in contrasts.items():
        shown, true = contrast.signal(maps), truth[name]
        if name == 'stir':
            shown, true = size_of(shown), true.abs()
            terms['marrow'] = MARROW_WEIGHT * marrow_ratio(shown, true, truth)
            terms['coarse marrow'] = MARROW_WEIGHT * coarse_marrow_ratio(shown, true, truth)
        terms[name] = CONTRAST_WEIGHT[name] * log_error(shown, true, weight)
        with torch.no_grad():
            signal, slopes = contrast.signal_and_slopes(still)
            error = signal - truth[name]
        variance = ((spread[:, :4] * slopes) ** 2).sum(1) + (spread[:, 4:] * slopes).sum(1) ** 2 + LEAST_SPREAD**2
        terms[f'{name} likelihood'] = LIKELIHOOD_WEIGHT[name] * likelihood(error, variance, weight)
    true_maps = signals.maps_of(truth['protonDensity'], truth['t1Ms'], truth['t2Ms'], truth['fatFraction'])
    # At an inversion time that nobody trained for, the maps have to stand by themselves.
    seq = sequences['stir']
    other = signals.Contrast(dict(seq, ti=seq['ti'] * other_inversion), contrasts['stir'].fat, inverted=True)
    terms['other inversion'] = 0.2 * log_error(other.signal(maps), other.signal(true_maps), weight)
    tissue = weight * (truth['protonDensity'] > 0.1)
    water = tissue * (1 - truth['fatFraction'])
    for k, (name, where) in enumerate((('density', tissue), ('t1', water), ('t2', water))):
        terms[name] = 0.3 * (where * (maps[:, k] - true_maps[:, k]).abs()).mean()
    fraction = torch.sigmoid(maps[:, 3])
    terms['fat'] = 8.0 * (tissue * (fraction - truth['fatFraction']).abs()).mean()
    fat_error, slope = (fraction - truth['fatFraction']).detach(), (fraction * (1 - fraction)).detach()
    terms['fat likelihood'] = 0.03 * likelihood(fat_error, (spread[:, 3] ** 2 + spread[:, 7] ** 2) * slope**2 + 0.01**2, tissue)
    return terms


def tissue_of(images):
    """Where either image shows something, on the grid of the doubt."""
    return (F.avg_pool2d(images[:, :2], 2).amax(1) > TISSUE_FROM).float()


def doubt_of_slices(doubt, tissue):
    """(ln of the odds that a slice has a fault, ln of T2w's echo time as told over the true one), [n] each."""
    odds = doubt[:, 0].clamp(-30, 30) + torch.log(tissue + 1e-9)
    return torch.logsumexp(odds.flatten(1), 1) - np.log(DOUBTFUL_PIXELS), (doubt[:, 1] * tissue).sum((1, 2)) / (tissue.sum((1, 2)) + 1)


def doubt_losses(doubt, images, fault, echo, faulty):
    """Terms of the loss of the doubt, of whose slices the last `faulty` have faults."""
    tissue = tissue_of(images)
    of_pixels = F.binary_cross_entropy_with_logits(doubt[:, 0], fault, reduction='none', pos_weight=torch.full_like(fault[:1, :1, :1], FAULT_PIXEL_WEIGHT))
    of_slices, shown_echo = doubt_of_slices(doubt, tissue)
    is_faulty = (fault * tissue).sum((1, 2)) >= 4
    told = echo[-faulty:] / ECHO_UNIT
    return {
        'doubt': DOUBT_WEIGHT * (of_pixels * tissue).sum() / tissue.sum(),
        'slice doubt': SLICE_DOUBT_WEIGHT * F.binary_cross_entropy_with_logits(of_slices, is_faulty.float()),
        'echo time': ECHO_WEIGHT * F.smooth_l1_loss(shown_echo[-faulty:] / ECHO_UNIT, told),
    }


def whole_loss(maps, spread, doubt, images, truth, sequences, field, fault, echo, other_inversion):
    """Of a batch whose faulty slices are those that `truth` does not have."""
    sound = len(truth['weight'])
    loss = sum(maps_losses(maps, spread, truth, sequences, field, other_inversion).values())
    return loss + sum(doubt_losses(doubt, images, fault, echo, len(images) - sound).values()) if len(images) > sound else loss


def direct_losses(net, batch, low):
    truth, sound = batch['truth'], len(batch['truth']['weight'])
    shown = net(batch['images'][:sound], batch['exam'][:sound], batch['target'][:sound], low)
    weight = truth['weight'] / truth['weight'].mean((1, 2), keepdim=True)
    return sum(CONTRAST_WEIGHT[name] * log_error(shown[:, k], truth[name].abs(), weight) for k, name in enumerate(('stir', 't2fs')))


def part_of(batch, chosen, sound):
    """The slices `chosen` (indices) of a batch from Scanner.draw; the truth of the first `sound` of them alone."""
    pick = lambda value, places: {key: pick(each, places) for key, each in value.items()} if isinstance(value, dict) else value[places]
    part = {key: pick(batch[key], chosen) for key in ('images', 'exam', 'target', 'fault', 'echo')}
    return dict(part, **{key: pick(batch[key], chosen[:sound]) for key in ('truth', 'sequences', 'field')})


def batches_of(scanner, rng, size):
    """Batches for DRAWN_STEPS steps at a time, for ever: (batch, are its pixels averaged over 2 x 2)."""
    while True:
        coarse = rng.random() < COARSE_SHARE
        sound, faulty = (COARSE_TIMES * size, 0) if coarse else (size, int(FAULTY_SHARE * size))
        with torch.no_grad():
            drawn = scanner.draw(DRAWN_STEPS * (sound + faulty), data.Options(coarse=coarse), DRAWN_STEPS * faulty)
        places = torch.arange(DRAWN_STEPS * (sound + faulty), device=drawn['echo'].device)
        for k in range(DRAWN_STEPS):
            chosen = torch.cat((places[k * sound : (k + 1) * sound], places[DRAWN_STEPS * sound + k * faulty : DRAWN_STEPS * sound + (k + 1) * faulty]))
            yield part_of(drawn, chosen, sound), coarse


def validation(slices):
    """Fixed batches of patients that training does not see: unknown gain, known gain, with a third image, T1w left out, with faults."""
    batches = []
    for name, changed in dict(unknown={}, known=dict(known=True), dixon=dict(third='dixon'), fatsat=dict(third='fatsat'), t1w=dict(left_out='t1w', coarse=True)).items():
        scanner = Scanner(slices, torch.Generator(slices.device).manual_seed(7))
        options = data.Options(**{**dict(known=False, third='none', left_out='none', lesions=False), **changed})
        batches += [(name, scanner.draw(6, options)) for _ in range(4)]
    scanner = Scanner(slices, torch.Generator(slices.device).manual_seed(8))
    sound_or_not = data.Options(known=False, third='none', left_out='none', lesions=False)
    return batches + [('faults', scanner.draw(24, sound_or_not, 12)) for _ in range(4)]


def measure(net, kind, batches):
    """Mean PSNR of STIR (peak: 99.5th percentile of the truth in tissue) and median error of the fat fraction, by kind of batch."""
    results, odds, faulty, echoes = {}, [], [], []
    with torch.no_grad():
        for name, batch in batches:
            truth, images = batch['truth'], batch['images']
            if name == 'faults' and kind == 'maps':
                tissue = tissue_of(images)
                of_slices, echo = doubt_of_slices(net(images, batch['exam'])[2], tissue)
                odds.append(of_slices)
                faulty.append((batch['fault'] * tissue).sum((1, 2)) >= 4)
                echoes.append(torch.stack((echo, batch['echo']))[:, -12:])
                continue
            if kind == 'maps':
                maps, spread, _ = net(images, batch['exam'])
                signal, slopes = batch['contrasts']['stir'].signal_and_slopes(maps)
                stir = signal.abs()
                std = torch.sqrt(((spread[:, :4] * slopes) ** 2).sum(1) + (spread[:, 4:] * slopes).sum(1) ** 2 + LEAST_SPREAD**2)
                fat = torch.sigmoid(maps[:, 3])
            elif name in ('t1w', 'faults'):
                continue
            else:
                stir, fat = net(images, batch['exam'], batch['target'])[:, 0], None
            for k in range(len(images)):
                body = truth['protonDensity'][k] > 0.1
                true = truth['stir'][k].abs()
                peak = torch.quantile(true[body][::7], 0.995)
                error = (stir[k] - true)[body]
                results.setdefault(f'{kind} {name} stir', []).append(float(10 * torch.log10(peak**2 / (error**2).mean())))
                if fat is not None:
                    results.setdefault(f'{name} ff', []).append(float((fat[k] - truth['fatFraction'][k])[body].abs().median()) * 100)
                    results.setdefault(f'{name} in 1.645 sd', []).append(float(((error.abs() / std[k][body]) < 1.645).float().mean()))
    if odds:
        odds, faulty, echoes = torch.cat(odds), torch.cat(faulty), torch.cat(echoes, 1)
        above = (odds[faulty][:, None] > odds[~faulty]).float().mean()
        results.update({'faults auroc': [float(above)], 'echo time correlation': [float(torch.corrcoef(echoes)[0, 1])]})
    return {key: round(float(np.mean(values)), 3) for key, values in results.items()}


class Learner:
    """A network, the moving average of its weights, and its optimiser."""

    def __init__(self, kind, device):
        self.kind = kind
        self.net = (Maps() if kind == 'maps' else Direct()).to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net)
        self.adam = torch.optim.Adam(self.net.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), **({'fused': True} if device.type == 'cuda' else {}))
        self.step = 0

    def learn(self, loss, learning_rate):
        """One step; the norm of the gradient. Where that is not finite nothing is learned. The device is not waited for."""
        for group in self.adam.param_groups:
            group['lr'] = learning_rate
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        gradients = [parameter.grad for parameter in self.net.parameters() if parameter.grad is not None]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        scale = torch.where(torch.isfinite(norm), (CLIP / (norm + 1e-6)).clamp_max(1), torch.zeros_like(norm))
        for gradient in gradients:
            gradient.nan_to_num_(0, 0, 0).mul_(scale)
        self.adam.step()
        with torch.no_grad():
            decay = min(DECAY, (1 + self.step) / (10 + self.step))
            average = list(self.average.parameters())
            torch._foreach_mul_(average, decay)
            torch._foreach_add_(average, list(self.net.parameters()), alpha=1 - decay)
        self.step += 1
        return norm

    def keep(self, folder, start):
        state = dict(net=self.net.state_dict(), average=self.average.state_dict(), adam=self.adam.state_dict(), step=self.step, start=start)
        path = folder / f'{self.kind}.pt'
        torch.save(state, path.with_suffix('.tmp'))
        path.with_suffix('.tmp').rename(path)

    def restore(self, folder, device):
        """When the training that is gone on with started, None where it is new."""
        path = folder / f'{self.kind}.pt'
        if not path.exists():
            return None
        stored = torch.load(path, map_location=device)
        for part in ('net', 'average', 'adam'):
            getattr(self, part).load_state_dict(stored[part])
        self.step = stored['step']
        return stored['start']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--slices', type=pathlib.Path, required=True, help='painted by paint.ts --as shares')
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--until', required=True, help='UTC, HH:MM, or +SECONDS')
    parser.add_argument('--batch', type=int, default=32, help='slices a step; twice as many where they are coarse')
    parser.add_argument('--eager', action='store_true', help='do not compile the loss')
    parser.add_argument('--report', type=float, default=150, help='seconds between lines of the log')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    log = options.out / 'log.jsonl'
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    device, end = learning_device(), until(options.until)

    maps, direct = learners = [Learner(kind, device) for kind in ('maps', 'direct')]
    started = [learner.restore(options.out, device) for learner in learners]
    slices = Slices(options.slices, device, is_trained_on)
    scanner = Scanner(slices, torch.Generator(device).manual_seed(SEED + maps.step))
    batches = validation(Slices(options.slices, device, lambda seed: not is_trained_on(seed)))
    rng = np.random.default_rng((SEED, maps.step, 1))
    torch.manual_seed(SEED + maps.step)
    start = started[0] or time.time()

    def report(**numbers):
        line = dict(step=maps.step, directStep=direct.step, minutes=round((time.time() - start) / 60, 1), patients=slices.patients, **numbers)
        print(json.dumps(line), flush=True)
        with log.open('a') as file:
            file.write(json.dumps(line) + '\n')

    def looked_at():
        return {key: value for learner in learners for key, value in measure(learner.average, learner.kind, batches).items()}

    loss_of = torch.compile(whole_loss, dynamic=False) if device.type == 'cuda' and not options.eager else whole_loss
    batches_to_learn = batches_of(scanner, rng, options.batch)
    recent, norms, kept, reported, taken_up = [], [], time.time(), time.time(), time.time()
    while time.time() < end:
        fraction = (time.time() - start) / (end - start)
        low, learning_rate = fraction < SINGLE_PRECISION_FROM, rate(fraction, PEAK_RATE)
        if time.time() - taken_up > TAKE_UP_SECONDS:
            slices.take_up()
            taken_up = time.time()
        batch, coarse = next(batches_to_learn)
        sound = len(batch['truth']['weight'])
        parameters, spread, doubt = maps.net(batch['images'], batch['exam'], low)
        other = torch.rand(1, 1, 1, device=device) * 3 + 0.5
        loss = loss_of(
            parameters[:sound], spread[:sound], doubt, batch['images'], batch['truth'], batch['sequences'], batch['field'], batch['fault'], batch['echo'], other,
        )
        norms.append(maps.learn(loss, learning_rate))
        recent.append(loss.detach())
        if not coarse:
            direct.learn(direct_losses(direct.net, batch, low), learning_rate)
        if time.time() - reported > options.report or maps.step == 50:
            norms = torch.stack(norms)
            report(
                loss=round(float(torch.stack(recent).nanmean()), 4), gradient=round(float(norms.nanmedian()), 3), skipped=int((~torch.isfinite(norms)).sum()),
                rate=round(learning_rate, 6), **looked_at(),
            )
            recent, norms, reported = [], [], time.time()
        if time.time() - kept > 45:
            for learner in learners:
                learner.keep(options.out, start)
            kept = time.time()
    for learner in learners:
        learner.keep(options.out, start)
    report(done=True, **looked_at())


if __name__ == '__main__':
    main()
