"""The MR denoiser: a bias-free, non-blind residual U-Net on half-resolution Haar coefficients.

    denoised = image - (r - localMean(r)),   r = level * haarInverse(net(haar(image) / level, unshuffle(noise) / level))

The mean over 34 x 34 pixels stays as it is, whatever the weights are: the noise in it is 1/34, and no filter needs to
touch it.
`level` is the local mean of the noise map (17 x 17 half-resolution pixels), constant on blocks of 2 x 2 pixels, so that
it commutes with the Haar transform: noise of a rough g-factor does not become edges of the image, and the network
sees the rest of the map as four channels of ratios. Everything that the network is fed is free of units, no layer has
a bias: f(a x, a s) = a f(x, s).

Haar front: Liu et al., Multi-level wavelet-CNN, CVPRW 2018. Residual blocks without normalisation and a U-Net with
strided and transposed convolutions: Zhang et al., DRUNet, IEEE TPAMI 2022, doi 10.1109/TPAMI.2021.3088914.
Bias-free: Mohan et al., ICLR 2020. Non-blind with a noise map in SNR units: Xue et al., SNRAware, 2025.

Shapes: image [n, 2, rows, columns], noise [n, 1, rows, columns] (standard deviation of the real part, units of the
image), rows and columns multiples of MULTIPLE_OF.
"""

import torch
from torch import nn
import torch.nn.functional as F

MULTIPLE_OF = 8
CHANNELS = (32, 64, 128)


def haar_kernel(channels):
    """Orthonormal 2 x 2 Haar transform of each channel, a convolution of stride 2: [4 * channels, channels, 2, 2]."""
    patterns = torch.tensor([[[1, 1], [1, 1]], [[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]]).float() / 2
    kernel = torch.zeros(4 * channels, channels, 2, 2)
    for channel in range(channels):
        kernel[4 * channel : 4 * channel + 4, channel] = patterns
    return kernel


def unshuffle_kernel():
    """The four pixels of each block of 2 x 2 as four channels, [4, 1, 2, 2]."""
    return torch.eye(4).reshape(4, 1, 2, 2)


def conv(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


class Up(nn.Module):
    """Twice the rows and columns: a transposed convolution of size 2 and stride 2, written as a product and a shuffle."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.spread = nn.Conv2d(inputs, 4 * outputs, 1, bias=False)

    def forward(self, x):
        return F.pixel_shuffle(self.spread(x), 2)


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = conv(channels, channels)
        # Starts as the identity, or nearly: training is stable from the first step.
        nn.init.kaiming_normal_(self.first.weight, nonlinearity='relu')
        nn.init.normal_(self.second.weight, std=0.1 * (2 / (9 * channels)) ** 0.5)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x), inplace=True))


def blocks(channels, count):
    return nn.Sequential(*[Block(channels) for _ in range(count)])


class Denoiser(nn.Module):
    def __init__(self, channels=CHANNELS, encoder=(1, 1), middle=2, decoder=(2, 1)):
        super().__init__()
        first, second, third = channels
        self.register_buffer('haar', haar_kernel(2))
        # Rows of coefficients, columns of the four pixels of a block, for each of the two channels.
        self.register_buffer(
            'haar_inverse', torch.block_diag(*[haar_kernel(1).reshape(4, 4).T] * 2).reshape(8, 8, 1, 1)
        )
        self.register_buffer('unshuffle', unshuffle_kernel())
        self.register_buffer('spread_mean', self.haar_inverse[:, ::4].clone())
        self.head = conv(12, first)
        self.encode1 = blocks(first, encoder[0])
        self.down1 = nn.Conv2d(first, second, 2, stride=2, bias=False)
        self.encode2 = blocks(second, encoder[1])
        self.down2 = nn.Conv2d(second, third, 2, stride=2, bias=False)
        self.middle = blocks(third, middle)
        self.up2 = Up(third, second)
        self.decode2 = blocks(second, decoder[1])
        self.up1 = Up(second, first)
        self.decode1 = blocks(first, decoder[0])
        self.tail = conv(first, 8)

    def level(self, noise):
        """Local mean of the noise map at half resolution: [n, 1, rows / 2, columns / 2]."""
        half = F.avg_pool2d(noise, 2, count_include_pad=False)
        return F.avg_pool2d(half, 17, stride=1, padding=8, count_include_pad=False)

    def features(self, image, noise, level):
        """The 12 channels that the network sees, without units. The divisor is never zero; where the level is, what comes
        of it is multiplied by zero."""
        least = 1e-3 * level.mean((2, 3), keepdim=True) + 1e-6 * image.abs().mean((1, 2, 3), keepdim=True) + 1e-30
        both = torch.cat((F.conv2d(image, self.haar, stride=2), F.conv2d(noise, self.unshuffle, stride=2)), 1)
        return both / torch.maximum(level, least)

    def blocks(self, full):
        half = self.encode2(self.down1(full := self.encode1(full)))
        half = self.decode2(half + self.up2(self.middle(self.down2(half))))
        return self.decode1(full + self.up1(half))

    def noise_of(self, coefficients, level):
        """What is taken from the image, [n, 2, rows, columns]: the Haar coefficients (in units of the level), less the
        local mean of each part, transformed back. The transform is orthonormal and its own inverse."""
        coefficients = coefficients * level
        means = F.avg_pool2d(coefficients[:, ::4], 17, stride=1, padding=8, count_include_pad=False)
        return F.pixel_shuffle(F.conv2d(coefficients, self.haar_inverse) - F.conv2d(means, self.spread_mean), 2)

    def forward(self, image, noise):
        level = self.level(noise)
        return image - self.noise_of(self.tail(self.blocks(self.head(self.features(image, noise, level)))), level)
