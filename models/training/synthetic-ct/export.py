"""Checkpoint to ONNX (opset 17) with its interval calibrated, checked against PyTorch on two sizes.

    python3 export.py --checkpoint OUT/checkpoint.pt --bank BANK --maps ../../synthesis-maps/model.onnx --out ../../synthetic-ct/model.onnx

The spread b that the network gives is no more than proportional to its errors. In every third slice of patients that did not train
(train.py, is_held), with the maps that the maps network gives, in eight classes of b of equal size, the half width u that holds
nine of ten pixels of the body is found, and

    ln u = c0 + c1 ln b

fitted to it by least squares. That line is part of the graph: its second output is ln u.
"""
import argparse
import hashlib
from pathlib import Path
import numpy as np
import onnxruntime
import torch
from torch import nn
import train
from data import Bank
from maps import maps_function
from network import MULTIPLE_OF, SyntheticCt

CLASSES = 8


class Calibrated(nn.Module):
    def __init__(self, net, offset, slope):
        super().__init__()
        self.net, self.offset, self.slope = net, offset, slope

    def forward(self, images, maps):
        hounsfield, spread = self.net(images, maps)
        return hounsfield, self.offset + self.slope * spread


def calibrate(net, maps_of, bank):
    rng = np.random.default_rng(5)
    errors, spreads = [], []
    for row in [row for row, about in enumerate(bank.about) if train.is_held(about)][::3]:
        images, exam = (torch.from_numpy(part[row : row + 1].astype(np.float32)) for part in (bank.images, bank.exam))
        with torch.no_grad():
            hounsfield, spread = net(images[:, :2], torch.from_numpy(maps_of(images.numpy(), exam.numpy())))
        truth = bank.hounsfield[row].astype(np.float32)
        body = np.flatnonzero(truth > -900)
        some = rng.choice(body, min(4000, len(body)), replace=False)
        errors.append(np.abs(hounsfield[0, 0].numpy() - truth).ravel()[some])
        spreads.append(spread[0, 0].numpy().ravel()[some])
    errors, spreads = np.concatenate(errors), np.concatenate(spreads)
    classes = np.array_split(np.argsort(spreads), CLASSES)
    width = np.log([np.quantile(errors[one], 0.9) for one in classes])
    slope, offset = np.polyfit([spreads[one].mean() for one in classes], width, 1)
    return float(offset), float(slope)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('checkpoint', 'bank', 'maps', 'out'):
        parser.add_argument(f'--{name}', type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    stored = torch.load(options.checkpoint, map_location='cpu')
    net = SyntheticCt().eval()
    net.load_state_dict(stored['average'])
    whole = Calibrated(net, *calibrate(net, maps_function(options.maps), Bank(options.bank))).eval()
    axes = {0: 'n', 2: 'rows', 3: 'columns'}
    inputs, outputs = ['images', 'maps'], ['hounsfield', 'spread']
    options.out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        whole, (torch.rand(1, 2, 64, 96), torch.randn(1, 4, 64, 96)), str(options.out), opset_version=17,
        input_names=inputs, output_names=outputs, dynamic_axes={name: axes for name in inputs + outputs},
    )
    session = onnxruntime.InferenceSession(str(options.out), providers=['CPUExecutionProvider'])
    for n, rows, columns in ((1, 96, 64), (2, 5 * MULTIPLE_OF, 3 * MULTIPLE_OF)):
        images, maps = 2 * torch.rand(n, 2, rows, columns), 3 * torch.randn(n, 4, rows, columns)
        with torch.no_grad():
            expected = whole(images, maps)
        for name, wanted, got in zip(outputs, expected, session.run(None, {'images': images.numpy(), 'maps': maps.numpy()})):
            difference = float(np.abs(wanted.numpy() - got).max())
            assert difference < (0.1 if name == 'hounsfield' else 1e-3), (name, difference)
    parameters = sum(p.numel() for p in net.parameters())
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(f'step {stored["step"]}, {parameters} parameters, ln u = {whole.offset:.3f} + {whole.slope:.3f} ln b, sha256 {digest}')


if __name__ == '__main__':
    main()
