"""Checkpoint to ONNX (opset 17), checked against PyTorch on two sizes.

python3 export.py --checkpoint OUT/checkpoint.pt --out ../../mr-denoiser/model.onnx
"""

import argparse
import hashlib
import pathlib

import numpy as np
import onnxruntime
import torch

from network import Denoiser, MULTIPLE_OF


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--checkpoint', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    options = parser.parse_args()
    stored = torch.load(options.checkpoint, map_location='cpu')
    net = Denoiser()
    net.load_state_dict(stored['average'], strict=False)
    net.eval()
    axes = {0: 'n', 2: 'rows', 3: 'columns'}
    example = torch.randn(1, 2, 64, 64), torch.rand(1, 1, 64, 64) + 0.5
    torch.onnx.export(
        net,
        example,
        options.out,
        opset_version=17,
        input_names=['image', 'noise'],
        output_names=['denoised'],
        dynamic_axes={name: axes for name in ('image', 'noise', 'denoised')},
    )
    session = onnxruntime.InferenceSession(str(options.out))
    for n, rows, columns in ((1, 64, 64), (2, 13 * MULTIPLE_OF, 20 * MULTIPLE_OF)):
        image, noise = 30 * torch.randn(n, 2, rows, columns), torch.rand(n, 1, rows, columns) + 0.5
        with torch.no_grad():
            expected = net(image, noise).numpy()
        got = session.run(None, {'image': image.numpy(), 'noise': noise.numpy()})[0]
        assert np.abs(got - expected).max() < 1e-3, np.abs(got - expected).max()
    print(
        'steps',
        stored['step'],
        'parameters',
        sum(p.numel() for p in net.parameters()),
        'sha256',
        hashlib.sha256(options.out.read_bytes()).hexdigest(),
    )


if __name__ == '__main__':
    main()
