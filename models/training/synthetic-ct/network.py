"""Hounsfield units from tissue parameter maps and the images behind them: a U-Net that works at half resolution.

    [HU, ln u] = shuffle(net(unshuffle([T1w/m1, T2w/m2, maps])))

Cortical bone, ligament and gas give no signal in a spin echo, so no pixel tells them apart: what lies around does. Hence
five scales down to 1/32, where a patch of 48 mm is seen at once and the body's outline with it. The four pixels of each
block of 2 x 2 are channels at half resolution (nothing is lost, and thin cortices of one pixel stay): the most costly
scale of a U-Net is not computed. Residual blocks and strided convolutions as in ../mr-denoiser/network.py.

The maps are clamped to what tissue can be and standardised, the images compressed by x / (1 + x / 4), so that what has no
signal, where the maps say anything, stays within bounds. The second output is the scale b of a Laplace density, of which
`HALF_WIDTH` times the calibration (export.py) makes the half width of the 90 % interval.


Shapes: images [n, 2, rows, columns], maps [n, 4, rows, columns] (ln PD, ln(T1/ms), ln(T2/ms), logit fat fraction),
rows and columns multiples of MULTIPLE_OF; hounsfield [n, 1, rows, columns] in HU, spread [n, 1, rows, columns] as ln(HU).
"""
import math
import torch
from torch import nn
import torch.nn.functional as F

MULTIPLE_OF = 32
CHANNELS = (32, 64, 96, 128, 160)
# Of a Laplace density with scale 1: 90 % of it lie within.
HALF_WIDTH = math.log(10)
# Smallest, largest, middle, unit of each map: ln PD, ln T1, ln T2, logit of the fat fraction.
MAPS = ((-3.0, 0.3, -0.3, 0.5), (5.0, 8.7, 6.9, 0.6), (1.0, 8.0, 4.0, 1.0), (-4.0, 4.0, -1.0, 2.0))
# Where the outputs start: soft tissue, known to 100 HU.
START_HU, UNIT_HU = 0.0, 300.0


def conv(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first, self.second = conv(channels, channels), conv(channels, channels)
        # Starts as the identity, or nearly: training is stable from the first step.
        nn.init.kaiming_normal_(self.first.weight, nonlinearity='relu')
        nn.init.normal_(self.second.weight, std=0.1 * (2 / (9 * channels)) ** 0.5)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x), inplace=True))


class SyntheticCt(nn.Module):
    def __init__(self, channels=CHANNELS):
        super().__init__()
        least, most, middle, unit = torch.tensor(MAPS).T.reshape(4, 1, 4, 1, 1)
        for name, value in dict(least=least, most=most, middle=middle, unit=unit).items():
            self.register_buffer(name, value)
        self.head = conv(24, channels[0])
        self.encoders = nn.ModuleList(Block(n) for n in channels[:-1])
        self.downs = nn.ModuleList(nn.Conv2d(n, m, 2, stride=2) for n, m in zip(channels, channels[1:]))
        self.middle_blocks = nn.Sequential(Block(channels[-1]), Block(channels[-1]))
        self.ups = nn.ModuleList(nn.Conv2d(m, 4 * n, 1) for n, m in zip(channels, channels[1:]))
        self.decoders = nn.ModuleList(Block(n) for n in channels[:-1])
        self.sharp = Block(channels[0])
        self.tail = conv(channels[0], 8)
        nn.init.zeros_(self.tail.bias)
        nn.init.normal_(self.tail.weight, std=0.01)

    def features(self, images, maps):
        """24 channels at half resolution, all of them about -3 to 3."""
        maps = (torch.minimum(torch.maximum(maps, self.least), self.most) - self.middle) / self.unit
        images = F.relu(images)
        return F.pixel_unshuffle(torch.cat((images / (1 + images / 4) - 1, maps), 1), 2)

    def blocks(self, x):
        kept = []
        for encoder, down in zip(self.encoders, self.downs):
            kept.append(x := encoder(x))
            x = down(x)
        x = self.middle_blocks(x)
        for up, decoder, before in reversed(list(zip(self.ups, self.decoders, kept))):
            x = decoder(before + F.pixel_shuffle(up(x), 2))
        return self.sharp(x)

    def outputs(self, x):
        hounsfield, spread = F.pixel_shuffle(self.tail(x), 2).chunk(2, 1)
        return START_HU + UNIT_HU * hounsfield, math.log(100) + torch.clamp(spread, -4.0, 3.0)

    def forward(self, images, maps):
        return self.outputs(self.blocks(self.head(self.features(images, maps))))
