"""What the maps network says of images: of an ONNX file, or of a checkpoint while training goes on.

The graph of ../synthesis/export.py computes missing contrasts too, and is told of their sequences (`target`), which its maps do not
depend on: zeros here.
"""
from pathlib import Path
import numpy as np
import onnxruntime
import torch
from sibling import synthesis

network = synthesis('network')


class MapsNetwork:
    """The averaged weights of a checkpoint, read again when the file is another."""

    def __init__(self, checkpoint, device='cpu'):
        self.checkpoint, self.read_at = Path(checkpoint), None
        self.net = network.Maps().eval().to(device, memory_format=torch.channels_last)

    def refresh(self):
        changed = self.checkpoint.stat().st_mtime
        if changed != self.read_at:
            self.net.load_state_dict(torch.load(self.checkpoint, map_location='cpu')['average'])
            self.read_at = changed

    def __call__(self, images, exam, low=True):
        with torch.no_grad():
            maps, _, _ = self.net(images, exam, low)
        return maps.float()


def runtime(path, threads=1):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def maps_function(path):
    """maps [n, 4, ...] of images [n, 4, ...] and exam [n, 18], as arrays."""
    if path.suffix == '.onnx':
        session = runtime(path)
        target = lambda n: np.zeros((n, network.TARGET), np.float32)
        return lambda images, exam: session.run(['maps'], {'images': images, 'exam': exam, 'target': target(len(images))})[0]
    net = MapsNetwork(path)
    net.refresh()
    return lambda images, exam: net(torch.from_numpy(images), torch.from_numpy(exam), low=False).numpy()
