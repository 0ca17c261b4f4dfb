"""Batches that other processes make while the network learns.

Making a batch takes the processor longer than learning from it takes a GPU. So `Reservoir` keeps the latest batches on the
learning device and draws from them: a batch is learned from several times, as often as learning is faster than making
(data echoing: Choi et al. 2019, arXiv 1907.05550). Without processes of its own each batch is made when asked for, and used once.
"""

import collections
import threading

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info


def learning_device():
    """The GPU where there is one. Float32 stays float32 on it: with the ten bits of TF32 noise of 1 beside a signal of 200 is lost."""
    torch.backends.cudnn.allow_tf32 = False
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def moved(batch, device):
    """The same nested tuples, lists and dicts with their tensors on the device."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {key: moved(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(moved(value, device) for value in batch)
    return batch


class Endless(IterableDataset):
    """make(rng) again and again, each process with draws of its own."""

    def __init__(self, make, seed):
        self.make, self.seed = make, seed

    def __iter__(self):
        info = get_worker_info()
        rng = np.random.default_rng((*self.seed, info.id if info else 0))
        while True:
            yield self.make(rng)


class Reservoir:
    """`make(rng)` returns a batch (tensors in tuples, lists, dicts); `seed` is a tuple of integers; `draw(rng)` one on the device, or
    the error that making one failed with."""

    def __init__(self, make, seed, workers, device, capacity=64, least=8):
        self.device, self.made, self.workers, self.error = device, 0, workers, None
        self.kept = collections.deque(maxlen=capacity)
        torch.multiprocessing.set_sharing_strategy('file_system')
        self.least, self.enough = least, threading.Event()
        if workers:
            self.source = iter(DataLoader(Endless(make, seed), batch_size=None, num_workers=workers, prefetch_factor=4))
            threading.Thread(target=self.fill, daemon=True).start()
        else:
            self.source = iter(Endless(make, seed))

    def fill(self):
        try:
            for batch in self.source:
                self.kept.append(moved(batch, self.device))
                self.made += 1
                if self.made >= self.least:
                    self.enough.set()
        except Exception as error:
            self.error = error
            self.enough.set()

    def draw(self, rng):
        if not self.workers:
            self.made += 1
            return moved(next(self.source), self.device)
        self.enough.wait()
        if self.error is not None:
            raise self.error
        return self.kept[int(rng.integers(len(self.kept)))]
