"""Trains the segmentation until a given time: on simulated slices, then on real ones too.

    OMP_NUM_THREADS=1 python3 train.py --cases CASES [CASES ...] --data DATA --out OUT --real-from HH:MM --until HH:MM   # UTC, or +SECONDS; stop and start as you like
    OMP_NUM_THREADS=1 python3 train.py ... --start OUT/simulated.pt --fold 0 --out FOLD --until HH:MM                    # without a third of the patients

Loss over the pixels of a batch, where a pixel may be of the classes S (structures.ALLOWED; of simulated slices one class):

    mean w_S (-log sum_{c in S} p_c) + DICE_WEIGHT (1 - mean Dice of classes and, of real slices, of what their masks tell apart)

so that partly labelled images teach what they know only. Dice: Milletari et al., 3DV 2016, doi 10.1109/3DV.2016.79. Adam, one cycle
over wall time, clipping, moving average of the weights; in bfloat16. Batches are made where they are learned from, on a GPU where there is one; patients that are
painted meanwhile are taken up. Where real slices begin, OUT/simulated.pt is kept: it saw none.
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
from structures import BELOW, CANAL, CLASSES, ELSEWHERE, INDEX, UNKNOWN, VERTEBRA, allowed_table

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from makers import learning_device
from one_cycle import rate, until

SEED = 20261129
REAL_SHARE = 0.35
DECAY = 0.998
# Seconds between looks for patients that have been painted meanwhile.
READ_EVERY = 30
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


def loss_of(logits, sets, n_real):
    """The last `n_real` are partly labelled, the others wholly."""
    probability = torch.softmax(logits, 1)
    allowed = ALLOWED[sets].permute(0, 3, 1, 2)
    weight = WEIGHTS[sets]
    likelihood = (probability * allowed).sum(1).clamp(min=1e-6).log()
    total = -(weight * likelihood).sum() / weight.sum()

    n_whole = len(sets) - n_real
    overlaps = []
    if n_whole:
        whole, true = probability[:n_whole], allowed[:n_whole]
        both = 2 * (whole * true).sum((0, 2, 3))
        overlaps.append((both + 50) / (whole.sum((0, 2, 3)) + true.sum((0, 2, 3)) + 50))
    if n_real:
        shown, kinds = probability[n_whole:], sets[n_whole:]
        for name, true in (('vertebra', VERTEBRA), ('disc', INDEX['disc']), ('canal', CANAL)):
            known = (kinds != UNKNOWN) & ~((kinds == BELOW) & (true == CANAL))
            part = shown[:, list(measures.GROUPS[name])].sum(1) * known
            mask = (kinds == true).float()
            overlaps.append(((2 * (part * mask).sum() + 50) / (part.sum() + mask.sum() + 50))[None])
    return total + DICE_WEIGHT * (1 - torch.cat(overlaps).mean())


def looked_at(simulated, real_cases):
    """Simulated samples by their contrast, and real slices."""
    orientations = ('sagittal',) * 4 + ('axial',) * 2
    samples = []
    for kind in (*data.PAINTED, 'ct', 'random'):
        images, sets = data.simulated_samples(np.random.default_rng(11), simulated, orientations, [kind] * len(orientations))
        samples += [(kind, (image.cpu().numpy(), one.cpu().numpy())) for image, one in zip(images, sets)]
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
    parser.add_argument('--batch', type=int, default=16, help='slices a step')
    parser.add_argument('--peak', type=float, default=2e-3, help='highest learning rate')
    parser.add_argument('--report', type=float, default=240, help='seconds between lines of the log')
    parser.add_argument('--start', type=pathlib.Path, help='a checkpoint whose average to begin with')
    parser.add_argument('--fold', type=int, help='whose patients are left out')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = options.out / 'checkpoint.pt', options.out / 'training-log.jsonl'
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    folding = options.fold is not None

    end, real_from = until(options.until), until(options.real_from) if options.real_from else 0
    # The next such time is tomorrow's where it has passed.
    real_from = 0 if real_from > end else real_from

    net = SpineStructures().to(DEVICE, memory_format=torch.channels_last)
    if options.start:
        net.load_state_dict(torch.load(options.start, map_location=DEVICE)['average'])
    average = copy.deepcopy(net)
    adam = torch.optim.Adam(net.parameters(), lr=options.peak, betas=(0.9, 0.99))
    step, start = 0, time.time()
    if checkpoint.exists():
        stored = torch.load(checkpoint, map_location=DEVICE)
        net.load_state_dict(stored['net'])
        average.load_state_dict(stored['average'])
        adam.load_state_dict(stored['adam'])
        step, start = stored['step'], stored['start']

    left_out = set(SPLIT['cases']['test']) | set(SPLIT['folds'][options.fold] if folding else SPLIT['cases']['validation'])
    watched = set(SPLIT['folds'][options.fold] if folding else SPLIT['cases']['validation'])
    real_cases = data.Real(options.data, lambda case: case not in left_out, DEVICE)
    samples, slices = looked_at(
        data.Simulated(options.cases, lambda seed: seed % data.LOOKED_AT_EVERY == 0, DEVICE), data.Real(options.data, lambda case: case in watched, DEVICE)
    )
    simulated = data.Simulated(options.cases, lambda seed: seed % data.LOOKED_AT_EVERY != 0, DEVICE)
    rng = np.random.default_rng((SEED, step))
    start = start if step else time.time()

    def report(**numbers):
        line = dict(step=step, minutes=round((time.time() - start) / 60, 1), simulated=len(simulated), real=len(real_cases.slices), **numbers)
        print(json.dumps(line), flush=True)
        with log.open('a') as file:
            file.write(json.dumps(line) + '\n')

    def keep(path=checkpoint):
        state = dict(net=net.state_dict(), average=average.state_dict(), adam=adam.state_dict(), step=step, start=start)
        torch.save(state, path.with_suffix('.tmp'))
        path.with_suffix('.tmp').rename(path)

    recent, norms, kept, reported, read = [], [], time.time(), time.time(), time.time()
    with_real = folding or time.time() >= real_from
    while time.time() < end:
        fraction = (time.time() - start) / (end - start)
        for group in adam.param_groups:
            group['lr'] = rate(fraction, options.peak)
        if not with_real and time.time() >= real_from:
            keep(options.out / 'simulated.pt')
            with_real = True
        if time.time() - read > READ_EVERY:
            simulated.read()
            read = time.time()
        images, sets, n_real = data.batch(rng, options.batch, simulated, real_cases, REAL_SHARE if with_real else 0)
        loss = loss_of(net(images, True), sets, n_real)
        adam.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)))
        if not math.isfinite(norms[-1]):
            report(skipped=str(norms.pop()))
            continue
        adam.step()
        with torch.no_grad():
            decay = min(DECAY, (1 + step) / (10 + step))
            slow, fast = ([value for value in one.state_dict().values() if value.is_floating_point()] for one in (average, net))
            torch._foreach_mul_(slow, decay)
            torch._foreach_add_(slow, fast, alpha=1 - decay)
        step += 1
        recent.append(loss.detach())
        if time.time() - reported > options.report or step == 50:
            report(
                loss=round(float(torch.stack(recent).mean()), 4), gradient=round(float(np.median(norms)), 3), rate=round(rate(fraction, options.peak), 6),
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
