"""Runs the exported graph, and what is computed of its maps: contrasts with a standard deviation a pixel (signals.py).

The variance of a signal S with slopes g_i by the four maps is sum (own_i g_i)^2 + (sum common_i g_i)^2 + LEAST^2, as in
training (train.py) and in synth/interval.ts. What is delivered of STIR and T2 fat-sat is the mean of |S| and the image-to-image network's D, its
standard deviation hypot(that of S, (|S| - D) / 2): synth/combined.ts.
"""

import numpy as np
import onnxruntime
import torch

import data
import signals
import train
from scanner import target_vector

LEAST = train.LEAST_SPREAD
MISSING = ('stir', 't2fs')


class Synthesiser:
    def __init__(self, path):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), settings, providers=['CPUExecutionProvider'])

    def run(self, images, exam, target):
        fed = {'images': images[None], 'exam': exam[None], 'target': target}
        return Maps(images, *self.session.run(['maps', 'spread', 'doubt', 'contrasts'], fed))

    def alone(self, images, exam):
        """Where an image is left out: images [4, rows, columns], exam [18]."""
        return self.run(images, exam, np.zeros((1, 8), np.float32))

    def of(self, made):
        """Of what data.make made."""
        return self.run(made['images'], made['exam'], target_vector(signals.sequences_of([made['sequences']], data.sequence_numbers)).numpy())


class Maps:
    """What the graph says of one slice, and what follows from it."""

    def __init__(self, images, maps, spread, doubt, direct):
        self.maps, self.spread, self.doubt = (torch.from_numpy(part) for part in (maps, spread, doubt))
        self.tissue = train.tissue_of(torch.from_numpy(images[None]))
        self.direct = dict(zip(MISSING, direct[0]))

    def fat_fraction(self):
        return torch.sigmoid(self.maps[0, 3]).numpy()

    def signal(self, contrast):
        """(signed signal, standard deviation), [rows, columns] each."""
        signal, slopes = contrast.signal_and_slopes(self.maps)
        variance = ((self.spread[:, :4] * slopes) ** 2).sum(1) + (self.spread[:, 4:] * slopes).sum(1) ** 2 + LEAST**2
        return signal[0].numpy(), np.sqrt(variance[0].numpy())

    def sized(self, contrast):
        """(size, standard deviation) by the signal equation alone."""
        signal, deviation = self.signal(contrast)
        return np.abs(signal), deviation

    def delivered(self, name, contrast):
        """(size, standard deviation) of what is delivered of a missing contrast."""
        (size, deviation), direct = self.sized(contrast), self.direct[name]
        return (size + direct) / 2, np.hypot(deviation, (size - direct) / 2)

    def doubts(self):
        """(ln of the odds that one image shows what the other does not, ln of T2w's echo time as told over the true one)."""
        odds, echo = train.doubt_of_slices(self.doubt, self.tissue)
        return float(odds), float(echo)


def contrasts_of(made):
    """The acquired and the missing contrasts of what data.make made."""
    return signals.contrasts_of([made['sequences']], [made['patient']['fieldStrengthT']], data.sequence_numbers)


def truth_of(made, name):
    return made['truth'][data.TRUTH.index(name)]
