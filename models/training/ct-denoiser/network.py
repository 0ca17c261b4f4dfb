"""The network: HU and noise map in, HU out.

    d = x - mean of x in 31 x 31          differences only: the HU offset of the image never enters
    u = d / s                             in units of the noise: f(a x, a s) = a f(x, s)
    n = s clip(U([u, 1]), -5, 5)          U: bias-free U-Net between a Haar transform and its inverse
    y = x - (n - mean of n in 31 x 31)    what is taken away has no local mean: flat regions keep their HU

A bias-free network is homogeneous in its input (Mohan 2020, arXiv 1906.05478); the constant 1 tells it the level of the
noise. The clip bounds what can be taken from a pixel to a few standard deviations; where s is 0, nothing is.
"""
import torch
from torch import nn
from torch.nn import functional as F

WINDOW = 31
MOST_STDS = 5.0
LEAST_NOISE = 1e-6


def local_mean(x):
    r = WINDOW // 2
    x = F.avg_pool2d(x, (WINDOW, 1), 1, (r, 0), count_include_pad=False)
    return F.avg_pool2d(x, (1, WINDOW), 1, (0, r), count_include_pad=False)


def haar():
    """[4, 1, 2, 2], orthonormal."""
    a, b = torch.tensor([1.0, 1.0]), torch.tensor([1.0, -1.0])
    return torch.stack([torch.outer(p, q) / 2 for p in (a, b) for q in (a, b)])[:, None]


def conv(a, b):
    return nn.Conv2d(a, b, 3, padding=1, bias=False)


class Block(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.first, self.second = conv(a, b), conv(b, b)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))))


class CtDenoiser(nn.Module):
    def __init__(self, channels=(32, 64, 96)):
        super().__init__()
        self.register_buffer('haar', haar())
        c = channels
        self.first = conv(5, c[0])
        self.enter = Block(c[0], c[0])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, 2, bias=False) for a, b in zip(c, c[1:]))
        self.encode = nn.ModuleList(Block(b, b) for b in c[1:])
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2, bias=False) for a, b in zip(c, c[1:]))
        self.decode = nn.ModuleList(Block(a, a) for a in c[:-1])
        self.last = conv(c[0], 4)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
        self.last.weight.data *= 0.1

    def body(self, x):
        x = self.enter(x)
        skips = []
        for down, encode in zip(self.down, self.encode):
            skips.append(x)
            x = encode(down(x))
        for up, decode, skip in zip(reversed(self.up), reversed(self.decode), reversed(skips)):
            x = decode(up(x) + skip)
        return x

    def forward(self, image, noise):
        difference = image - local_mean(image)
        u = difference / (noise + LEAST_NOISE)
        bands = F.conv2d(u, self.haar, stride=2)
        level = torch.ones_like(bands[:, :1])
        features = F.relu(self.first(torch.cat([bands, level], 1)))
        if self.training:
            features = features.contiguous(memory_format=torch.channels_last)
            with torch.autocast('cpu', torch.bfloat16):
                features = self.body(features)
            features = features.float()
        else:
            features = self.body(features)
        estimate = F.conv_transpose2d(self.last(features), self.haar, stride=2)
        removed = noise * torch.clamp(estimate, -MOST_STDS, MOST_STDS)
        return image - (removed - local_mean(removed))
