"""Trains the denoiser until a given time, so that the learning rate ends annealed.

    OMP_NUM_THREADS=1 python3 train.py --cache CACHE --out OUT --until HH:MM                                             # UTC, or +SECONDS
    OMP_NUM_THREADS=1 python3 train.py --cache CACHE --painted CASES [CASES ...] --start OUT/checkpoint.pt --out SHORT --until HH:MM

Loss: mean over patches of log(mean squared error in units of the noise + 0.003), which is the mean PSNR gain: every
noise level weighs the same; and the squared correlation of the error with the image, since the least squared error
alone shrinks contrasts and leaves a trace of them in the residual.

Adam, one cycle over wall time, gradient clipping, moving average of the weights. Blocks
run in bfloat16 for the first part of the time (several times faster where the processor has AMX), then in float32:
bfloat16 has no room for noise of 1 on a signal of 200. Resumes from OUT/checkpoint.pt when that is there.
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
import simulate
from network import Denoiser

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from makers import Reservoir, learning_device
from one_cycle import rate, until

SEED = 20261125
BATCH = 16
PEAK_RATE = 1.5e-3
SHORT_PEAK_RATE = 5e-4
SINGLE_PRECISION_FROM = 0.95
DECAY = 0.999
CLIP = 5.0
STRUCTURE_WEIGHT = 20.0


def losses(denoised, clean, noise):
    """log of the mean squared error of each patch in units of its noise, and what keeps the image out of the residual."""
    error = (denoised - clean) / noise.mean((1, 2, 3), keepdim=True)
    return torch.log((error**2).mean((1, 2, 3)) + 0.003) + STRUCTURE_WEIGHT * structure(error, clean) ** 2


def structure(error, clean):
    """Correlation that the error (in units of the noise) brings into the residual, along the image in its foreground: [n]."""
    magnitude = torch.linalg.vector_norm(clean, dim=1)
    inside = (magnitude > 0.3 * magnitude.mean((1, 2), keepdim=True)).float()
    count = inside.sum((1, 2), keepdim=True) + 1
    centred = (magnitude - (inside * magnitude).sum((1, 2), keepdim=True) / count) * inside
    along = (error * clean).sum(1) / (magnitude + 1e-6 * magnitude.mean((1, 2), keepdim=True) + 1e-12)
    size = torch.sqrt((centred**2).sum((1, 2)) * count.flatten()) + 1e-12
    return (along * centred).sum((1, 2)) / size


class Precision(torch.nn.Module):
    """The network with its inner blocks in bfloat16 where `low` is set; head, tail and the Haar transforms in float32."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image, noise, low):
        net = self.net
        level = net.level(noise)
        full = net.head(net.features(image, noise, level).contiguous(memory_format=torch.channels_last))
        with torch.autocast(image.device.type, dtype=torch.bfloat16, enabled=low):
            full = net.blocks(full.bfloat16() if low else full)
        return image - net.noise_of(net.tail(full.float()), level)


class Maker:
    """A training batch: (noisy, noise, clean)."""

    def __init__(self, cache, painted, bank):
        images = data.load(cache / 'training.npz')
        rng = np.random.default_rng(SEED)
        shapes = data.Images([dict(own_snr=1000.0, image=simulate.shapes_image(rng)) for _ in range(240)])
        pick = lambda prefix: data.Images([i for i in images if i['group'].startswith(prefix)])
        simulated = data.Painted(painted) if painted else pick('sim')
        self.sources, self.bank = (pick('spider'), simulated, shapes, pick('brain')), bank

    def __call__(self, rng):
        return tuple(map(torch.from_numpy, simulate.batch(rng, self.sources, self.bank, BATCH)))


def validation_cases(cache, bank, device):
    """Fixed noisy images of the validation patients: list of (name, snr, noisy, noise, clean)."""
    rng = np.random.default_rng(7)
    images = [i for i in data.load(cache / 'validation.npz') if i['factor'] != 2]
    images = [images[k] for k in rng.permutation(len(images))[:14]]
    cases = []
    for snr in (3, 5, 10, 20, 40):
        for image in images:
            n = 128
            clean = simulate.window_of(rng, image['image'], n)
            clean = clean / clean.mean() * simulate.phase(rng, n)
            for name in ('white', 'unaliased'):
                std = np.ones((n, n), np.float32)
                noise = simulate.white(rng, n)
                if name == 'unaliased':
                    draws, level = bank[rng.integers(len(bank))]
                    both = simulate.window_of(rng, np.concatenate((draws[:1], level[None])), n)
                    noise, std = both[0], both[1].real
                noisy = clean + noise / snr
                two = lambda z: torch.from_numpy(np.stack((z.real, z.imag)).astype(np.float32))[None].to(device)
                cases.append(
                    (name, snr, two(noisy), torch.from_numpy((std / snr).astype(np.float32))[None, None].to(device), two(clean))
                )
    return cases


def gains(net, cases):
    """Mean PSNR gain in dB by kind of noise and SNR."""
    result = {}
    with torch.no_grad():
        for name, snr, noisy, noise, clean in cases:
            before = ((noisy - clean) ** 2).mean()
            after = ((net(noisy, noise) - clean) ** 2).mean()
            result.setdefault(f'{name} {snr}', []).append(10 * math.log10(float(before / after)))
    return {key: round(float(np.mean(values)), 3) for key, values in result.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cache', type=pathlib.Path, required=True)
    parser.add_argument('--painted', type=pathlib.Path, nargs='*', help='folders of ../synthesis/paint.ts: the simulated spines, instead of those of the cache')
    parser.add_argument('--start', type=pathlib.Path, help='a checkpoint whose average to begin with')
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--until', required=True, help='UTC, HH:MM, or +SECONDS')
    parser.add_argument('--workers', type=int, default=0, help='processes that make batches; 0: none but this one')
    parser.add_argument('--report', type=float, default=100, help='seconds between lines of the log')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = options.out / 'checkpoint.pt', options.out / 'log.jsonl'
    torch.set_num_threads(1)
    torch.manual_seed(SEED)

    device, end = learning_device(), until(options.until)
    peak = SHORT_PEAK_RATE if options.start else PEAK_RATE
    net = Denoiser().to(device, memory_format=torch.channels_last)
    if options.start:
        net.load_state_dict(torch.load(options.start, map_location=device)['average'])
    average = copy.deepcopy(net)
    adam = torch.optim.Adam(net.parameters(), lr=peak, betas=(0.9, 0.99))
    step, start = 0, time.time()
    if checkpoint.exists():
        stored = torch.load(checkpoint, map_location=device)
        net.load_state_dict(stored['net'], strict=False)
        average.load_state_dict(stored['average'], strict=False)
        adam.load_state_dict(stored['adam'])
        step, start = stored['step'], stored['start']
    maker = Maker(options.cache, options.painted, simulate.noise_bank(SEED, 48, 6))
    reservoir = Reservoir(maker, (SEED, step, int(bool(options.start))), options.workers, device, capacity=256)
    cases = validation_cases(options.cache, simulate.noise_bank(SEED + 1, 8, 1), device)
    rng = np.random.default_rng((SEED, step, 1))
    start = start if step else time.time()
    model = Precision(net)

    def report(**numbers):
        line = dict(step=step, minutes=round((time.time() - start) / 60, 1), batchesMade=reservoir.made, **numbers)
        print(json.dumps(line), flush=True)
        with log.open('a') as file:
            file.write(json.dumps(line) + '\n')

    def keep():
        torch.save(
            dict(net=net.state_dict(), average=average.state_dict(), adam=adam.state_dict(), step=step, start=start),
            checkpoint.with_suffix('.tmp'),
        )
        checkpoint.with_suffix('.tmp').rename(checkpoint)

    recent, norms, kept, reported = [], [], time.time(), time.time()
    while time.time() < end:
        fraction = (time.time() - start) / (end - start)
        for group in adam.param_groups:
            group['lr'] = rate(fraction, peak)
        noisy, noise, clean = reservoir.draw(rng)
        loss = losses(model(noisy, noise, fraction < SINGLE_PRECISION_FROM), clean, noise).mean()
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
        if time.time() - reported > options.report or step == 200:
            report(
                loss=round(float(torch.stack(recent).mean()), 4),
                gradient=round(float(np.median(norms)), 3),
                rate=round(rate(fraction, peak), 6),
                **gains(average, cases),
            )
            recent, norms, reported = [], [], time.time()
        if time.time() - kept > 150:
            keep()
            kept = time.time()
    keep()
    report(done=True, **gains(average, cases))


if __name__ == '__main__':
    main()
