"""The network: HU and noise map in, HU out.

    d = x - mean of x in 31 x 31          differences only: the HU offset of the image never enters
    u = d / s                             in units of the noise: f(a x, a s) = a f(x, s)
    n = s clip(U([u, 1]), -5, 5)          U: bias-free U-Net between a Haar transform and its inverse
    w = 1 / (1 + (g / 1.4 s)^6)           g: gradient of x - n, HU a pixel, by a Gaussian of 1.2 pixels
    y = x - w (n - mean of n in 21 x 21)  what is taken away has no local mean: flat regions keep their HU
                                          nothing is taken from edges that stand out of the noise: they keep their sharpness

A bias-free network is homogeneous in its input (Mohan 2020, arXiv 1906.05478); the constant 1 tells it the level of the
noise. The clip bounds what can be taken from a pixel to a few standard deviations; where s is 0, nothing is.
"""
import torch
from torch import nn
from torch.nn import functional as F

WINDOW = 31
WINDOW_OF_REMOVED = 21
MOST_STDS = 5.0
LEAST_NOISE = 1e-6
EDGE_STDS = 1.4
GRADIENT_SIGMA = 1.2
GRADIENT_REACH = 3


def local_mean(x, window=WINDOW):
    r = window // 2
    x = F.avg_pool2d(x, (window, 1), 1, (r, 0), count_include_pad=False)
    return F.avg_pool2d(x, (1, window), 1, (0, r), count_include_pad=False)


def gradient():
    """[2, 1, 7, 7]: derivatives of a Gaussian along rows and columns; 1 where the image rises by 1 a pixel."""
    x = torch.arange(-GRADIENT_REACH, GRADIENT_REACH + 1.0)
    smooth = torch.exp(-x * x / (2 * GRADIENT_SIGMA ** 2))
    rising = x * smooth / (x * x * smooth).sum()
    smooth = smooth / smooth.sum()
    return torch.stack([torch.outer(rising, smooth), torch.outer(smooth, rising)])[:, None]


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
        self.register_buffer('gradient', gradient(), persistent=False)
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
        edges = F.conv2d(F.pad(image - removed, [GRADIENT_REACH] * 4, mode='replicate'), self.gradient)
        edges = edges / (EDGE_STDS * noise + LEAST_NOISE)
        contrast = (edges * edges).sum(1, keepdim=True)
        # Products: a power is some ten times as slow.
        return image - (removed - local_mean(removed, WINDOW_OF_REMOVED)) / (1 + contrast * contrast * contrast)
