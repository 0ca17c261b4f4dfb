"""Trains the denoiser until a given time of day, so that the learning rate ends annealed.

    OMP_NUM_THREADS=1 nice -n -10 taskset -c 1 python3 train.py --cache CACHE --out OUT --until 23:10

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
from one_cycle import rate, until

SEED = 20261125
BATCH = 16
PEAK_RATE = 1.5e-3
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
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=low):
            full = net.blocks(full.bfloat16() if low else full)
        return image - net.noise_of(net.tail(full.float()), level)


def source_groups(cache, rng):
    images = data.load(cache / 'training.npz')
    shapes = [dict(group='shapes', own_snr=1000.0, image=simulate.shapes_image(rng)) for _ in range(240)]
    pick = lambda prefix: [i for i in images if i['group'].startswith(prefix)]
    return pick('spider'), pick('sim'), shapes, pick('brain')


def validation_cases(cache, bank):
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
                two = lambda z: torch.from_numpy(np.stack((z.real, z.imag)).astype(np.float32))[None]
                cases.append(
                    (name, snr, two(noisy), torch.from_numpy((std / snr).astype(np.float32))[None, None], two(clean))
                )
    return cases


def gains(net, cases):
    """Mean PSNR gain in dB by kind of noise and SNR."""
    result = {}
    with torch.no_grad():
        for name, snr, noisy, noise, clean in cases:
            before = ((noisy - clean) ** 2).mean()
            after = ((net(noisy, noise) - clean) ** 2).mean()
            result.setdefault(f'{name} {snr}', []).append(10 * math.log10(before / after))
    return {key: round(float(np.mean(values)), 3) for key, values in result.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cache', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--until', required=True, help='UTC, HH:MM')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = options.out / 'checkpoint.pt', options.out / 'log.jsonl'
    torch.set_num_threads(1)
    torch.manual_seed(SEED)

    net = Denoiser().to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    adam = torch.optim.Adam(net.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99))
    step, start = 0, time.time()
    if checkpoint.exists():
        stored = torch.load(checkpoint)
        net.load_state_dict(stored['net'], strict=False)
        average.load_state_dict(stored['average'], strict=False)
        adam.load_state_dict(stored['adam'])
        step, start = stored['step'], stored['start']
    rng = np.random.default_rng((SEED, step))
    sources = source_groups(options.cache, np.random.default_rng(SEED))
    bank = simulate.noise_bank(SEED, 48, 6)
    cases = validation_cases(options.cache, simulate.noise_bank(SEED + 1, 8, 1))
    end = until(options.until)
    model = Precision(net)

    def report(**numbers):
        line = dict(step=step, minutes=round((time.time() - start) / 60, 1), **numbers)
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
    making = learning = 0.0
    while time.time() < end:
        fraction = (time.time() - start) / (end - start)
        for group in adam.param_groups:
            group['lr'] = rate(fraction, PEAK_RATE)
        began = time.perf_counter()
        noisy, noise, clean = map(torch.from_numpy, simulate.batch(rng, sources, bank, BATCH))
        made = time.perf_counter()
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
            for slow, fast in zip(average.parameters(), net.parameters()):
                slow.lerp_(fast, 1 - decay)
        making += made - began
        learning += time.perf_counter() - made
        step += 1
        recent.append(loss.item())
        if time.time() - reported > 100 or step == 200:
            report(
                loss=round(float(np.mean(recent)), 4),
                gradient=round(float(np.median(norms)), 3),
                rate=round(rate(fraction, PEAK_RATE), 6),
                makingMs=round(1e3 * making / len(recent)),
                learningMs=round(1e3 * learning / len(recent)),
                **gains(average, cases),
            )
            recent, norms, reported, making, learning = [], [], time.time(), 0.0, 0.0
        if time.time() - kept > 150:
            keep()
            kept = time.time()
    keep()
    report(done=True, **gains(average, cases))


if __name__ == '__main__':
    main()
