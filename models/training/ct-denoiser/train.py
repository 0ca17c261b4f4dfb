"""train.py OUT.pt MINUTES BANK.npz... [--from CHECKPOINT.pt] — one thread, a schedule by the clock, a checkpoint every two
minutes; from a checkpoint with half the rate.

A sample: a patch of a clean image, plus a patch of noise of the same kernel (four times out of five) scaled to a level drawn
log-uniformly from 3 to 150 HU; the noise map that the network sees is smooth and off by some 10 %, as an estimated one is.

Loss, e being the error in units of the noise:
  Huber of e, weighted up to threefold at edges, plus
  BLUR b²,   b = sum e h / sum h²,   h = the clean image less its local mean, cut off at 1.5 standard deviations of the noise.
The least squares alone blurs whatever is fainter than the noise; b is how much of it is lost on average, faint and strong
edges counting alike, which readers and transfer functions see.
"""
import argparse
import copy
import math
import time
import numpy as np
import torch
from torch.nn import functional as F
from network import CtDenoiser, local_mean

SEED = 7
CHANNELS = (40, 64, 96, 128)
PATCH, BATCH = 128, 8
RATE = 1e-3
EMA = 0.998
BLUR = 2.0
VALIDATION_SEED = 99
SHARES = (0.45, 0.15, 0.4)  # simulated, L3, dead leaves


class Sampler:
    def __init__(self, banks, seed):
        self.banks = banks
        self.groups = [[np.flatnonzero(bank['origin'] == group) for group in range(3)] for bank in banks]
        self.rng = np.random.default_rng(seed)

    def patch(self, *images):
        r = self.rng
        row, column = r.integers(0, 512 - PATCH, 2)
        turns, flip = r.integers(4), r.random() < 0.5
        cut = [np.rot90(image[row:row + PATCH, column:column + PATCH], turns) for image in images]
        return [c[:, ::-1] for c in cut] if flip else cut

    def clean_patch(self, bank, kernel):
        r = self.rng
        image = self.banks[bank]['clean'][kernel, r.choice(self.groups[bank][r.choice(3, p=SHARES)])]
        for _ in range(4):  # patches of air alone teach little
            (patch,) = self.patch(image)
            if patch.std() > 8:
                break
        contrast = math.exp(r.uniform(-0.7, 0.4))
        return (patch - patch.mean()) * contrast * r.choice([1, 1, 1, -1])

    def sample(self):
        r = self.rng
        bank = r.integers(len(self.banks))
        fields, stds = self.banks[bank]['fields'], self.banks[bank]['stds']
        kernel, field = r.integers(fields.shape[0]), r.integers(fields.shape[1])
        clean = self.clean_patch(bank, kernel if r.random() < 0.8 else r.integers(fields.shape[0]))
        unit, std = self.patch(fields[kernel, field], stds[field])
        level = std / std.mean() * math.exp(r.uniform(math.log(3), math.log(150)))
        told = level * np.exp(0.08 * r.standard_normal() + 0.06 * smooth(r, PATCH))
        return clean, clean + level * unit, level, told

    def batch(self, n=BATCH):
        parts = zip(*(self.sample() for _ in range(n)))
        return [torch.from_numpy(np.stack(part).astype(np.float32))[:, None] for part in parts]


def smooth(rng, size):
    knots = torch.from_numpy(rng.standard_normal((1, 1, 5, 5)))
    return F.interpolate(knots, size=(size, size), mode='bicubic', align_corners=True)[0, 0].numpy()


def gradient(image):
    return F.pad((image[..., 1:, 1:] - image[..., :-1, :-1]).abs() + (image[..., 1:, :-1] - image[..., :-1, 1:]).abs(), (0, 1, 0, 1)) / 2


def loss_of(network, batch):
    clean, noisy, level, told = batch
    error = (network(noisy, told) - clean) / level
    edges = gradient(clean) / level
    huber = (1 + 2 * edges / (edges + 0.5)) * F.huber_loss(error, torch.zeros_like(error), reduction='none', delta=1.0)
    shape = ((clean - local_mean(clean)) / level).clamp(-1.5, 1.5)
    lost = (error * shape).sum((1, 2, 3)) / (shape.square().sum((1, 2, 3)) + 0.02 * shape[0].numel())
    return huber.mean() + BLUR * lost.square().mean()


@torch.no_grad()
def validate(network, batches):
    """Standard deviation of the error over that of the noise: all, and where it is flat; what is lost of faint edges."""
    network.eval()
    errors, flat, lost = [], [], []
    for clean, noisy, level, told in batches:
        error = (network(noisy, told) - clean) / level
        errors.append(error.square().mean().item())
        flat.append(error[gradient(clean) < 0.05 * level].square().mean().item())
        shape = ((clean - local_mean(clean)) / level).clamp(-1.5, 1.5)
        lost.append(((error * shape).sum() / shape.square().sum()).item())
    network.train()
    return math.sqrt(np.mean(errors)), math.sqrt(np.mean(flat)), np.mean(lost)


def main(out, minutes, bank_paths, start_from):
    torch.manual_seed(SEED)
    banks = [dict(np.load(path)) for path in bank_paths]
    sampler = Sampler(banks, SEED + (start_from is not None))
    held = Sampler(banks, VALIDATION_SEED)
    validation = [held.batch() for _ in range(8)]
    network = CtDenoiser(CHANNELS)
    peak = RATE
    if start_from:
        network.load_state_dict(torch.load(start_from)['network'])
        peak = RATE / 2
    network = network.to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), peak, betas=(0.9, 0.99))
    start = saved = time.time()
    seconds, step, running = 60 * minutes, 0, []
    while (elapsed := time.time() - start) < seconds:
        share = elapsed / seconds
        for group in optimiser.param_groups:
            group['lr'] = peak * min(1, (step + 1) / 300) * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
        loss = loss_of(network, sampler.batch())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        decay = min(EMA, 1 - 1 / (step + 1))
        with torch.no_grad():
            for a, b in zip(average.parameters(), network.parameters()):
                a.lerp_(b, 1 - decay)
        running.append(loss.item())
        step += 1
        if time.time() - saved > 120 or step == 50:
            saved = time.time()
            save(average, out, step)
            print(f'{elapsed / 60:5.1f} min, step {step}, loss {np.mean(running):.4f}, error/noise %.3f, flat %.3f, lost %.3f' % validate(average, validation), flush=True)
            running = []
    save(average, out, step)
    print(f'end, step {step}, error/noise %.3f, flat %.3f, lost %.3f' % validate(average, validation), flush=True)


def save(network, out, step):
    torch.save({'network': network.state_dict(), 'channels': CHANNELS, 'step': step}, out)


if __name__ == '__main__':
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument('out')
    parser.add_argument('minutes', type=float)
    parser.add_argument('banks', nargs='+')
    parser.add_argument('--from', dest='start_from')
    options = parser.parse_args()
    main(options.out, options.minutes, options.banks, options.start_from)
