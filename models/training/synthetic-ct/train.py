"""Trains the synthetic CT until a given time, so that the learning rate ends annealed.

    OMP_NUM_THREADS=1 python3 train.py --cases CASES LABELLED --maps RUN/maps.pt --out OUT --until HH:MM [--workers N]   # UTC, or +SECONDS; stop and start as you like

Loss: with e the error in HU and b = exp(spread) the scale of a Laplace density, the mean over pixels of

    w (|e| / 100 + 0.3 (|e'| / b + ln b))

where e' does not teach the mean: it would be learned best where it is known already. w is 4 within three pixels of bone
(above 150 HU), on both sides of its edges alike, so that they stay where they are, and 1 elsewhere.

The parameter maps are those of the maps network for these very images (the checkpoint of ../synthesis/train.py, read again
every few minutes while that learns), in every second patch, later in every fourth, the true ones with smooth and rough
errors. Adam, one cycle over wall time, clipping, moving average of the weights; the inner layers of both networks in bfloat16.
"""
import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path
import numpy as np
import torch
import torch.nn.functional as F
from data import Coarser, crops, delivered
from maps import MapsNetwork
from network import SyntheticCt

sys.path.append(str(Path(__file__).resolve().parent.parent))
from makers import Reservoir, learning_device
from one_cycle import rate, until

SEED = 20261128
SLICES, SIZE = 5, 128
PEAK_RATE = 1e-3
DECAY = 0.998
CLIP = 1.0
BONE_HU, NEAR_BONE, UNIT_HU = 150, 4.0, 100.0
SPREAD_WEIGHT = 0.3
LABELLED_SHARE = 0.15
MASKED_SHARE, MASKED_BELOW = 0.3, 0.15
# Early and late: the maps network takes as long as all else, and has learned little when it starts.
TRUE_MAPS_SHARE = (0.5, 0.25)


def disturbed(maps, generator):
    """True maps [n, 4, rows, columns] with errors: rough ones and others that are smooth over 16 pixels."""
    rough = 0.1 * torch.randn(maps.shape, generator=generator, device=maps.device)
    coarse = torch.randn((*maps.shape[:2], maps.shape[2] // 16, maps.shape[3] // 16), generator=generator, device=maps.device)
    smooth = 0.2 * F.interpolate(coarse, size=maps.shape[2:], mode='bicubic', align_corners=False)
    return maps + rough + smooth


def weights(hounsfield):
    near = F.max_pool2d((hounsfield > BONE_HU).float(), 7, stride=1, padding=3)
    return 1 + (NEAR_BONE - 1) * near


def loss_of(mean, spread, hounsfield):
    weight = weights(hounsfield)
    error = (mean - hounsfield).abs()
    return (weight * (error / UNIT_HU + SPREAD_WEIGHT * (error.detach() * torch.exp(-spread) + spread))).mean()


def run(net, images, maps):
    """The network with its inner blocks in bfloat16."""
    x = net.head(net.features(images, maps).contiguous(memory_format=torch.channels_last))
    with torch.autocast(images.device.type, dtype=torch.bfloat16):
        x = net.blocks(x.bfloat16())
    return net.outputs(x.float())


def is_held(about):
    """Patients that are looked at while training and calibrate the interval; those that choose nothing in ../synthesis either."""
    return about['seed'] % 20 == 0 and about['region'] != 'tptbox'


class Maker:
    """Crops of SLICES slices: images, exam, true maps, hounsfield. Labelled CTs in LABELLED_SHARE of them."""

    def __init__(self, folder, labelled):
        self.folder, self.labelled = folder, Coarser(labelled)
        self.simulated, self.read_at = None, 0.0

    def __call__(self, rng):
        if time.time() - self.read_at > 30:
            self.simulated, self.read_at = Coarser(self.folder, lambda seed: seed % 20 != 0), time.time()
        drawn = [self.labelled if rng.random() < LABELLED_SHARE else self.simulated for _ in range(SLICES)]
        found = [one for cases in drawn for one in crops(rng, cases, SIZE)]
        return tuple(torch.from_numpy(np.stack(part)) for part in zip(*found))


def watched(folder, device):
    """Slices of the patients that training does not see: images, exam, hounsfield."""
    cases = Coarser(folder, lambda seed: seed % 20 == 0)
    rows = []
    for index in range(0, len(cases), 4):
        images, exam, _, hounsfield = delivered(np.random.default_rng((SEED, index)), cases, index)
        rows.append(tuple(torch.from_numpy(np.float32(part)).to(device) for part in (images[None], exam[None], hounsfield)))
    return rows


def measure(net, maps_of, rows):
    """Mean absolute error in HU, all and of bone, and how much lies within the 90 % interval of the Laplace density."""
    found = {'all': [], 'bone': [], 'inside': [], 'boneInside': []}
    with torch.no_grad():
        for images, exam, truth in rows:
            mean, spread = run(net, images[:, :2], maps_of(images, exam))
            error, bone = (mean[0, 0] - truth).abs(), truth > BONE_HU
            inside = (error < math.log(10) * torch.exp(spread[0, 0])).float()
            found['all'].append(float(error.mean())), found['inside'].append(float(inside.mean()))
            if bone.sum() > 500:
                found['bone'].append(float(error[bone].mean())), found['boneInside'].append(float(inside[bone].mean()))
    return {key: round(float(np.mean(values)), 3) for key, values in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cases', type=Path, nargs=2, required=True, help='painted cases, and those of labelled CTs')
    parser.add_argument('--maps', type=Path, required=True, help='checkpoint of the maps network')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--until', required=True, help='UTC, HH:MM, or +SECONDS')
    parser.add_argument('--workers', type=int, default=0, help='processes that make batches; 0: none but this one')
    parser.add_argument('--report', type=float, default=600, help='seconds between lines of the log')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = options.out / 'checkpoint.pt', options.out / 'log.jsonl'
    torch.set_num_threads(1)
    torch.manual_seed(SEED)

    device, end = learning_device(), until(options.until)
    net = SyntheticCt().to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    adam = torch.optim.Adam(net.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99))
    step, start = 0, time.time()
    if checkpoint.exists():
        stored = torch.load(checkpoint, map_location=device)
        net.load_state_dict(stored['net'])
        average.load_state_dict(stored['average'])
        adam.load_state_dict(stored['adam'])
        step, start = stored['step'], stored['start']
    generator = torch.Generator(device).manual_seed(SEED + step)
    reservoir = Reservoir(Maker(*options.cases), (SEED, step), options.workers, device, capacity=128)
    held = watched(options.cases[0], device)
    rng, maps_of = np.random.default_rng((SEED, step, 1)), MapsNetwork(options.maps, device)
    maps_of.refresh()
    reservoir.draw(rng)
    start = start if step else time.time()

    def report(**numbers):
        line = dict(step=step, minutes=round((time.time() - start) / 60, 1), batchesMade=reservoir.made, **numbers)
        print(json.dumps(line), flush=True)
        with log.open('a') as file:
            file.write(json.dumps(line) + '\n')

    def keep():
        state = dict(net=net.state_dict(), average=average.state_dict(), adam=adam.state_dict(), step=step, start=start)
        torch.save(state, checkpoint.with_suffix('.tmp'))
        checkpoint.with_suffix('.tmp').rename(checkpoint)

    recent, norms, kept, reported = [], [], time.time(), time.time()
    while time.time() < end:
        fraction = (time.time() - start) / (end - start)
        for group in adam.param_groups:
            group['lr'] = rate(fraction, PEAK_RATE)
        images, exam, true_maps, hounsfield = reservoir.draw(rng)
        # Some scanners deliver zeros where they saw noise alone.
        masked = torch.from_numpy(rng.random(len(images)) < MASKED_SHARE).to(device)[:, None, None, None]
        images = torch.where(masked & (images.amax(1, keepdim=True) <= MASKED_BELOW), torch.zeros_like(images), images)
        maps = disturbed(true_maps, generator)
        asked = torch.from_numpy(rng.random(len(images)) >= TRUE_MAPS_SHARE[fraction > 0.5]).to(device)
        if asked.any():
            maps[asked] = maps_of(images[asked], exam[asked])
        loss = loss_of(*run(net, images[:, :2], maps), hounsfield[:, None])
        adam.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)))
        if not math.isfinite(norms[-1]):
            report(skipped=norms.pop())
            continue
        adam.step()
        with torch.no_grad():
            decay = min(DECAY, (1 + step) / (10 + step))
            slow = list(average.parameters())
            torch._foreach_mul_(slow, decay)
            torch._foreach_add_(slow, list(net.parameters()), alpha=1 - decay)
        step += 1
        recent.append(loss.detach())
        if time.time() - reported > options.report:
            numbers = dict(loss=round(float(torch.stack(recent).mean()), 4), gradient=round(float(np.median(norms)), 3), rate=round(rate(fraction, PEAK_RATE), 6))
            report(**numbers, **measure(average, maps_of, held))
            recent, norms, reported = [], [], time.time()
        if time.time() - kept > 120:
            keep()
            maps_of.refresh()
            kept = time.time()
    keep()
    report(done=True, **measure(average, maps_of, held))


if __name__ == '__main__':
    main()
