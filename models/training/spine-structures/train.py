"""Trains the segmentation until a given time: on simulated slices, then on real ones too.

    OMP_NUM_THREADS=1 python3 train.py --cases CASES [CASES ...] --data DATA --out OUT --real-from HH:MM --until HH:MM   # UTC, or +SECONDS; stop and start as you like
    OMP_NUM_THREADS=1 python3 train.py ... --start OUT/simulated.pt --fold 0 --out FOLD --until HH:MM                    # without a third of the patients

Loss over the pixels of a batch, where a pixel may be of the classes S (structures.ALLOWED; of simulated slices one class):

    mean w_S (-log sum_{c in S} p_c) + DICE_WEIGHT (1 - mean Dice of classes and, of real slices, of what their masks tell apart)

so that partly labelled images teach what they know only. Dice: Milletari et al., 3DV 2016, doi 10.1109/3DV.2016.79. Adam, one cycle
over wall time, clipping, moving average of the weights; in bfloat16; on a GPU where there is one. Where real slices begin, OUT/simulated.pt is kept: it saw none.
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
import measures
from network import SpineStructures
from structures import BELOW, CANAL, CLASSES, ELSEWHERE, INDEX, SINGLE, UNKNOWN, VERTEBRA, allowed_table

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from makers import Reservoir, learning_device
from one_cycle import rate, until

SEED = 20261129
BATCH = 16
REAL_SHARE = 0.35
PEAK_RATE = 2e-3
SHORT_PEAK_RATE = 8e-4
DECAY = 0.998
SHORT_DECAY = 0.99
CLIP = 1.0
DICE_WEIGHT = 0.5
SMALL = ('cord', 'epiduralFat', 'foramen', 'facetJoint', 'ligamentumFlavum')
SPLIT = json.loads((pathlib.Path(__file__).parent / 'split.json').read_text())


def set_weights():
    """Of the sets of structures.ALLOWED in the loss."""
    weight = torch.ones(len(allowed_table()))
    weight[[INDEX['background'], ELSEWHERE, BELOW]] = 0.6
    weight[[INDEX[name] for name in SMALL]] = 1.6
    weight[UNKNOWN] = 0
    return weight


DEVICE = learning_device()
ALLOWED, WEIGHTS = torch.from_numpy(allowed_table()).to(DEVICE), set_weights().to(DEVICE)


def loss_of(logits, sets):
    probability = torch.softmax(logits, 1)
    allowed = ALLOWED[sets].permute(0, 3, 1, 2)
    weight = WEIGHTS[sets]
    likelihood = (probability * allowed).sum(1).clamp(min=1e-6).log()
    total = -(weight * likelihood).sum() / weight.sum()

    partly = (sets >= SINGLE).flatten(1).any(1)
    overlaps = []
    if not partly.all():
        whole, true = probability[~partly], allowed[~partly]
        both = 2 * (whole * true).sum((0, 2, 3))
        overlaps.append((both + 50) / (whole.sum((0, 2, 3)) + true.sum((0, 2, 3)) + 50))
    if partly.any():
        shown, kinds = probability[partly], sets[partly]
        for name, true in (('vertebra', VERTEBRA), ('disc', INDEX['disc']), ('canal', CANAL)):
            known = (kinds != UNKNOWN) & ~((kinds == BELOW) & (true == CANAL))
            part = shown[:, list(measures.GROUPS[name])].sum(1) * known
            mask = (kinds == true).float()
            overlaps.append(((2 * (part * mask).sum() + 50) / (part.sum() + mask.sum() + 50))[None])
    return total + DICE_WEIGHT * (1 - torch.cat(overlaps).mean())


class Maker:
    """A training batch, of the patients that have been painted by now and, where `with_real` is set, of real ones."""

    def __init__(self, folders, real_cases, with_real):
        self.folders, self.real_cases, self.with_real = folders, real_cases, with_real
        self.simulated, self.read_at = None, 0.0

    def __call__(self, rng):
        if time.time() - self.read_at > 30:
            classes = self.simulated.classes if self.simulated else {}
            self.simulated, self.read_at = data.Simulated(self.folders, lambda seed: seed % data.LOOKED_AT_EVERY != 0, classes), time.time()
        return data.batch(rng, BATCH, self.simulated, self.real_cases, REAL_SHARE if self.with_real() else 0)


def looked_at(simulated, real_cases):
    """Simulated samples by their contrast, each with its own seed, and real slices."""
    samples = []
    for kind in (*data.PAINTED, 'ct', 'random'):
        rng = np.random.default_rng(11)
        samples += [(kind, data.simulated_sample(rng, simulated, orientation, kind)) for orientation in ('sagittal',) * 4 + ('axial',) * 2]
    return samples, [one for one in real_cases.slices[::3] if one.image is not None]


def measure(net, samples, slices):
    """Mean Dice: of classes over the simulated samples, of contrasts over their classes, of real slices by group."""
    net.eval()
    run = measures.of_torch(net, DEVICE)
    found = {}
    for kind, (image, sets) in samples:
        classes = run(image).argmax(0)
        for index, name in enumerate(CLASSES[1:], 1):
            value = measures.dice(classes == index, sets == index)
            if value is not None and (sets == index).sum() > 30:
                found.setdefault(name, []).append(value)
                found.setdefault(kind, []).append(value)
    for one in slices:
        probabilities, sets = measures.segmented_real(run, one)
        for name, value in measures.group_dice(probabilities.argmax(0), sets).items():
            if value is not None:
                found.setdefault(f'real {name}', []).append(value)
    net.train()
    return {name: round(float(np.mean(values)), 3) for name, values in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cases', type=pathlib.Path, nargs='+', required=True)
    parser.add_argument('--data', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--real-from', help='UTC, HH:MM')
    parser.add_argument('--until', required=True, help='UTC, HH:MM, or +SECONDS')
    parser.add_argument('--workers', type=int, default=0, help='processes that make batches; 0: none but this one')
    parser.add_argument('--report', type=float, default=240, help='seconds between lines of the log')
    parser.add_argument('--start', type=pathlib.Path, help='a checkpoint whose average to begin with')
    parser.add_argument('--fold', type=int, help='whose patients are left out')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = options.out / 'checkpoint.pt', options.out / 'training-log.jsonl'
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    folding = options.fold is not None
    peak, decay_at_most = (SHORT_PEAK_RATE, SHORT_DECAY) if options.start else (PEAK_RATE, DECAY)

    end, real_from = until(options.until), until(options.real_from) if options.real_from else 0
    # The next such time is tomorrow's where it has passed.
    real_from = 0 if real_from > end else real_from

    net = SpineStructures().to(DEVICE, memory_format=torch.channels_last)
    if options.start:
        net.load_state_dict(torch.load(options.start, map_location=DEVICE)['average'])
    average = copy.deepcopy(net)
    adam = torch.optim.Adam(net.parameters(), lr=peak, betas=(0.9, 0.99))
    step, start = 0, time.time()
    if checkpoint.exists():
        stored = torch.load(checkpoint, map_location=DEVICE)
        net.load_state_dict(stored['net'])
        average.load_state_dict(stored['average'])
        adam.load_state_dict(stored['adam'])
        step, start = stored['step'], stored['start']

    left_out = set(SPLIT['cases']['test']) | set(SPLIT['folds'][options.fold] if folding else SPLIT['cases']['validation'])
    watched = set(SPLIT['folds'][options.fold] if folding else SPLIT['cases']['validation'])
    real_cases, watched_cases = data.Real(options.data, lambda case: case not in left_out), data.Real(options.data, lambda case: case in watched)
    samples, slices = looked_at(data.Simulated(options.cases, lambda seed: seed % data.LOOKED_AT_EVERY == 0), watched_cases)
    maker = Maker(options.cases, real_cases, lambda: folding or time.time() >= real_from)
    reservoir = Reservoir(maker, (SEED, step), options.workers, DEVICE, capacity=96)
    rng = np.random.default_rng((SEED, step, 1))
    reservoir.draw(rng)
    start = start if step else time.time()

    def report(**numbers):
        line = dict(step=step, minutes=round((time.time() - start) / 60, 1), batchesMade=reservoir.made, real=len(real_cases.slices), **numbers)
        print(json.dumps(line), flush=True)
        with log.open('a') as file:
            file.write(json.dumps(line) + '\n')

    def keep(path=checkpoint):
        state = dict(net=net.state_dict(), average=average.state_dict(), adam=adam.state_dict(), step=step, start=start)
        torch.save(state, path.with_suffix('.tmp'))
        path.with_suffix('.tmp').rename(path)

    recent, norms, kept, reported = [], [], time.time(), time.time()
    with_real = folding or time.time() >= real_from
    while time.time() < end:
        fraction = (time.time() - start) / (end - start)
        for group in adam.param_groups:
            group['lr'] = rate(fraction, peak)
        if not with_real and time.time() >= real_from:
            keep(options.out / 'simulated.pt')
            with_real = True
        images, sets = reservoir.draw(rng)
        loss = loss_of(net(images, True), sets)
        adam.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)))
        if not math.isfinite(norms[-1]):
            report(skipped=str(norms.pop()))
            continue
        adam.step()
        with torch.no_grad():
            decay = min(decay_at_most, (1 + step) / (10 + step))
            slow, fast = ([value for value in one.state_dict().values() if value.is_floating_point()] for one in (average, net))
            torch._foreach_mul_(slow, decay)
            torch._foreach_add_(slow, fast, alpha=1 - decay)
        step += 1
        recent.append(loss.detach())
        if time.time() - reported > options.report or step == 50:
            report(
                loss=round(float(torch.stack(recent).mean()), 4), gradient=round(float(np.median(norms)), 3), rate=round(rate(fraction, peak), 6),
                **measure(average, samples, slices),
            )
            recent, norms, reported = [], [], time.time()
        if time.time() - kept > 90:
            keep()
            kept = time.time()
    keep()
    report(done=True, **measure(average, samples, slices))


if __name__ == '__main__':
    main()
