"""Runs exported networks, and what is computed of their maps: contrasts with a standard deviation a pixel (signals.py).

The variance of a signal S with slopes g_i by the four maps is sum (own_i g_i)^2 + (sum common_i g_i)^2 + LEAST^2, as in
training (train.py) and in synth/interval.ts.
"""

import numpy as np
import onnxruntime
import torch

import data
import signals
import train
from scanner import target_vector

LEAST = train.LEAST_SPREAD


def session(path):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), settings, providers=['CPUExecutionProvider'])


class Synthesiser:
    """The parameter network."""

    def __init__(self, path):
        self.session = session(path)

    def maps(self, images, exam):
        """images [4, rows, columns], exam [18]: maps [4, ...], spread [8, ...]."""
        maps, spread = self.session.run(['maps', 'spread'], {'images': images[None], 'exam': exam[None]})
        return Maps(maps, spread)

    def images(self, made):
        """STIR and T2 fat-sat of what data.make made."""
        maps, contrasts = self.maps(made['images'], made['exam']), contrasts_of(made)
        return {name: np.abs(maps.signal(contrasts[name])[0]) for name in ('stir', 't2fs')}


class DirectSynthesiser:
    """The image-to-image baseline."""

    def __init__(self, path):
        self.session = session(path)

    def images(self, made):
        """STIR and T2 fat-sat of what data.make made."""
        target = target_vector(signals.sequences_of([made['sequences']], data.sequence_numbers)).numpy()
        (shown,) = self.session.run(None, {'images': made['images'][None], 'exam': made['exam'][None], 'target': target})
        return dict(stir=shown[0, 0], t2fs=shown[0, 1])


class Maps:
    """Parameter maps of one slice and what follows from them."""

    def __init__(self, maps, spread):
        self.maps, self.spread = torch.from_numpy(maps), torch.from_numpy(spread)

    def fat_fraction(self):
        return torch.sigmoid(self.maps[0, 3]).numpy()

    def signal(self, contrast):
        """(signed signal, standard deviation), [rows, columns] each."""
        signal, slopes = contrast.signal_and_slopes(self.maps)
        variance = ((self.spread[:, :4] * slopes) ** 2).sum(1) + (self.spread[:, 4:] * slopes).sum(1) ** 2 + LEAST**2
        return signal[0].numpy(), np.sqrt(variance[0].numpy())


def contrasts_of(made):
    """The acquired and the missing contrasts of what data.make made."""
    return signals.contrasts_of([made['sequences']], [made['patient']['fieldStrengthT']], data.sequence_numbers)


def truth_of(made, name):
    return made['truth'][data.TRUTH.index(name)]
