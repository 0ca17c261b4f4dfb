"""Tissue parameters behind a T1w and a T2w slice: a U-Net on half resolution with a full-resolution tail, told of the exam.

    maps, spread, doubt = net(images, exam)

images [n, 4, rows, columns], exam [n, 18]; maps [n, 4, ...] = ln PD, ln T1, ln T2, logit fat fraction; spread [n, 8, ...]: the
standard deviation of each map of its own, then its share of one factor that all share (data.py, signals.py); doubt [n, 2, rows / 2, columns / 2]: the
logit of that one image shows here what the other does not, and what this place says of ln(echo time of T2w as told / true). rows and columns are
multiples of MULTIPLE_OF.

The exam (sequences, field strength, what is known) scales and shifts the features of every level (FiLM: Perez et al., AAAI
2018, arXiv 1709.07871); in the decoder so do the deepest features, averaged over the slice with the images' brightness as weight: gains
that nobody knows show in the whole slice and not around a pixel. The network sees the images' logarithms too, in which a gain is
a sum. Residual blocks without normalisation: Zhang et al., DRUNet, IEEE TPAMI 2022, doi
10.1109/TPAMI.2021.3088914. Parameters and not images, trained on simulated data: Moya-Saez et al. 2021, doi 10.1016/j.cmpb.2021.106371.

`Direct` is the same network with the missing contrasts as its outputs: the baseline.
"""

import contextlib

import torch
from torch import nn
import torch.nn.functional as F

MULTIPLE_OF = 16
CHANNELS = (40, 80, 128, 160)
TAIL = 24
DOUBT = 32
DIMMEST = 0.05
EXAM = 18
TARGET = 8


class Film(nn.Module):
    def __init__(self, inputs, channels):
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * channels)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x, code):
        scale, shift = self.linear(code)[:, :, None, None].chunk(2, 1)
        return x * (1 + scale.to(x.dtype)) + shift.to(x.dtype)


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        # Starts as the identity, or nearly.
        nn.init.kaiming_normal_(self.first.weight, nonlinearity='relu')
        nn.init.normal_(self.second.weight, std=0.1 * (2 / (9 * channels)) ** 0.5)
        nn.init.zeros_(self.second.bias)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x), inplace=True))


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.spread = nn.Conv2d(inputs, 4 * outputs, 1)

    def forward(self, x):
        return F.pixel_shuffle(self.spread(x), 2)


def in_one_unit(images, exam):
    """Where relative scales are known, images in one unit: their ratios are then those of the signals, pixel by pixel."""
    second = torch.exp(exam[:, 8])
    third = second * torch.exp(exam[:, 13])
    one = torch.ones_like(second)
    return images * torch.stack((one, second, one, third), 1)[:, :, None, None]


class Trunk(nn.Module):
    def __init__(self, outputs, exam=EXAM, channels=CHANNELS, doubts=0):
        super().__init__()
        code = 64
        self.code = nn.Sequential(nn.Linear(exam, code), nn.ReLU(), nn.Linear(code, code), nn.ReLU())
        self.head = nn.Conv2d(16, channels[0], 3, padding=1)
        self.logarithmic = nn.Conv2d(4, channels[0], 1)
        self.encode = nn.ModuleList([Block(c) for c in channels])
        self.encode_film = nn.ModuleList([Film(code, c) for c in channels])
        self.down = nn.ModuleList([nn.Conv2d(a, b, 2, stride=2) for a, b in zip(channels, channels[1:])])
        self.middle = Block(channels[-1])
        self.context = nn.Linear(channels[-1], code)
        self.up = nn.ModuleList([Up(b, a) for a, b in zip(channels, channels[1:])])
        self.decode = nn.ModuleList([Block(c) for c in channels[:-1]])
        self.decode_film = nn.ModuleList([Film(code, c) for c in channels[:-1]])
        self.full = Up(channels[0], TAIL)
        self.tail = nn.Conv2d(TAIL + 4, TAIL, 3, padding=1)
        self.out = nn.Conv2d(TAIL, outputs, 1)
        nn.init.normal_(self.out.weight, std=0.02)
        self.doubt = nn.Sequential(nn.Conv2d(channels[0], DOUBT, 3, padding=1), nn.ReLU(), nn.Conv2d(DOUBT, doubts, 1)) if doubts else None

    def features(self, images, exam, low=False):
        code = self.code(exam)
        images = in_one_unit(images, exam)
        logarithms = torch.log(F.avg_pool2d(images, 2).clamp_min(DIMMEST))
        brightness = F.avg_pool2d(images[:, :2].sum(1, keepdim=True), MULTIPLE_OF)
        brightness = brightness / (brightness.sum((2, 3), keepdim=True) + 1e-6)
        with torch.autocast(images.device.type, dtype=torch.bfloat16) if low else contextlib.nullcontext():
            x = self.head(F.pixel_unshuffle(images, 2).contiguous(memory_format=torch.channels_last)) + self.logarithmic(logarithms)
            kept = []
            for level, (block, film) in enumerate(zip(self.encode, self.encode_film)):
                x = film(block(x), code)
                if level < len(self.down):
                    kept.append(x)
                    x = self.down[level](x)
            x = self.middle(x)
            code = code + self.context((x * brightness).sum((2, 3)))
            for level in reversed(range(len(self.down))):
                x = self.decode_film[level](self.decode[level](kept[level] + self.up[level](x)), code)
            full = F.relu(self.full(x))
            full = F.relu(self.tail(torch.cat((full, images.to(full.dtype)), 1)))
            doubt = self.doubt(x).float() if self.doubt else None
        return self.out(full.float()), doubt


# Where the outputs start: water of 0.75, T1 1000 ms, T2 60 ms, fat fraction 0.2; standard deviations of 0.3.
START = (-0.29, 6.9, 4.1, -1.4)
SCALE = (0.5, 0.7, 1.0, 2.0)
LEAST = (-4.5, 4.6, 1.2, -6.0)
MOST = (0.1, 8.5, 7.9, 4.0)


class Maps(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = Trunk(12, doubts=2)
        # Most places are sound.
        self.trunk.doubt[-1].bias.data.copy_(torch.tensor((-5.0, 0.0)))
        self.register_buffer('start', torch.tensor(START)[None, :, None, None])
        self.register_buffer('scale', torch.tensor(SCALE)[None, :, None, None])
        self.register_buffer('least', torch.tensor(LEAST)[None, :, None, None])
        self.register_buffer('most', torch.tensor(MOST)[None, :, None, None])

    def forward(self, images, exam, low=False):
        out, doubt = self.trunk.features(images, exam, low)
        maps = self.start + self.scale * out[:, :4]
        # A measured fat fraction is where the estimate starts.
        measured = images[:, 2:3].clamp(0.01, 0.97)
        known = exam[:, 9, None, None, None]
        shift = known * (torch.log(measured / (1 - measured)) - self.start[:, 3:])
        maps = torch.cat((maps[:, :3], maps[:, 3:] + shift), 1)
        own = F.softplus(out[:, 4:8] - 1.0) * self.scale
        common = out[:, 8:12] * self.scale
        # Beyond these ends signals do not change any more; the slope stays, so that a map that got there comes back.
        inside = torch.minimum(torch.maximum(maps, self.least), self.most)
        return maps + (inside - maps).detach() if self.training else inside, torch.cat((own, common), 1), doubt


class Direct(nn.Module):
    """STIR (magnitude) and T2 fat-sat straight from the images; `target` [n, 8]: their sequences."""

    def __init__(self):
        super().__init__()
        self.trunk = Trunk(2, EXAM + TARGET)

    def forward(self, images, exam, target, low=False):
        return 0.2 * F.softplus(self.trunk.features(images, torch.cat((exam, target), 1), low)[0] - 1.0)
