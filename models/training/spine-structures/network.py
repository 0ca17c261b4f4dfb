"""Structures of the spine in one slice of any contrast: a U-Net on half resolution.

    logits = shuffle(net(unshuffle(image)))

image [n, 1, rows, columns] (structures.normalise), logits [n, 12, rows, columns] (structures.CLASSES); rows and columns are
multiples of MULTIPLE_OF.

The four pixels of each block of 2 x 2 are channels of one at half resolution, so that nothing is lost and the most costly
scale of a U-Net (Ronneberger et al., MICCAI 2015, doi 10.1007/978-3-319-24574-4_28) is not computed. Two dilated blocks at
1/16 see the whole field of view: a slice beside the midline is told by what else is in it. Residual blocks with batch
normalisation (He et al., CVPR 2016, doi 10.1109/CVPR.2016.90), which export folds into the convolutions.
"""

import contextlib

import torch
from torch import nn
import torch.nn.functional as F

from structures import CLASSES

MULTIPLE_OF = 16
CHANNELS = (32, 64, 112, 144)
DILATIONS = (2, 3)


def conv(inputs, outputs, dilation=1):
    return nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False)


class Block(nn.Module):
    def __init__(self, channels, dilation=1):
        super().__init__()
        self.first, self.second = conv(channels, channels, dilation), conv(channels, channels, dilation)
        self.first_norm, self.second_norm = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        # Starts as the identity, or nearly.
        nn.init.constant_(self.second_norm.weight, 0.2)

    def forward(self, x):
        inner = F.relu(self.first_norm(self.first(x)), inplace=True)
        return F.relu(x + self.second_norm(self.second(inner)), inplace=True)


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.spread = nn.Conv2d(inputs, 4 * outputs, 1)

    def forward(self, x):
        return F.pixel_shuffle(self.spread(x), 2)


class SpineStructures(nn.Module):
    def __init__(self, channels=CHANNELS):
        super().__init__()
        self.head = nn.Conv2d(4, channels[0], 3, padding=1)
        self.encode = nn.ModuleList(Block(n) for n in channels)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in zip(channels, channels[1:]))
        self.middle = nn.Sequential(*(Block(channels[-1], dilation) for dilation in DILATIONS))
        self.up = nn.ModuleList(Up(b, a) for a, b in zip(channels, channels[1:]))
        self.decode = nn.ModuleList(Block(n) for n in channels[:-1])
        self.out = nn.Conv2d(channels[0], 4 * len(CLASSES), 3, padding=1)

    def forward(self, image, low=False):
        with torch.autocast(image.device.type, dtype=torch.bfloat16) if low else contextlib.nullcontext():
            # Bright fat beside the array must not drown the rest.
            x = image / (1 + image / 4)
            x = F.relu(self.head(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)))
            kept = []
            for block, down in zip(self.encode, self.down):
                kept.append(x := block(x))
                x = down(x)
            x = self.middle(self.encode[-1](x))
            for level in reversed(range(len(self.down))):
                x = self.decode[level](kept[level] + self.up[level](x))
            x = self.out(x)
        return F.pixel_shuffle(x.float(), 2)
