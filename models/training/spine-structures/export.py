"""Writes a checkpoint's averaged network as ONNX and checks ONNX Runtime against PyTorch.

    python3 export.py --checkpoint OUT/checkpoint.pt --cases CASES --out ../../spine-structures/model.onnx [--golden GOLDEN.json]

Batch normalisation is folded into the convolutions. Fails where a logit differs by more than TOLERANCE or the class of a pixel
in ten thousand. GOLDEN.json: a small image and what normalise and normalise_ct make of it, for the program's own.
"""

import argparse
import json
import pathlib

import numpy as np
import onnxruntime
import torch

import data
from network import SpineStructures
from structures import normalise, normalise_ct

TOLERANCE = 2e-3
LIKE = 0.9999


def golden():
    """Tissue, air and a few bright pixels: percentiles are the same however pixels are sampled."""
    rng = np.random.default_rng(5)
    image = np.where(np.arange(64) > 20, rng.integers(300, 600, (64, 64)), rng.integers(0, 20, (64, 64)))
    image[7, 30:36] = 9000
    hounsfield = rng.integers(-1000, 3000, (4, 8))
    rounded = lambda array: [round(float(value), 5) for value in array.ravel()]
    return {
        'about': 'Written by models/training/spine-structures/export.py.',
        'mr': {'image': image.ravel().tolist(), 'normalised': rounded(normalise(image.astype(np.float32)))},
        'ct': {'image': hounsfield.ravel().tolist(), 'normalised': rounded(normalise_ct(hounsfield))},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--checkpoint', type=pathlib.Path, required=True)
    parser.add_argument('--cases', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--golden', type=pathlib.Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    stored = torch.load(options.checkpoint, map_location='cpu')
    net = SpineStructures()
    net.load_state_dict(stored['average'])
    net.eval()
    rng = np.random.default_rng(3)
    images, *_ = data.batch(rng, 2, data.Simulated([options.cases], lambda seed: seed % data.LOOKED_AT_EVERY == 0))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    axes = {0: 'n', 2: 'rows', 3: 'columns'}
    torch.onnx.export(
        net, images, str(options.out), input_names=['image'], output_names=['logits'], dynamic_axes={'image': axes, 'logits': axes}, opset_version=17,
        do_constant_folding=True,
    )
    session = onnxruntime.InferenceSession(str(options.out), providers=['CPUExecutionProvider'])
    # Another size than that of the export, so that nothing of it is frozen in the graph.
    for cut in (images, images[:1, :, :192, :224]):
        with torch.no_grad():
            expected = net(cut).numpy()
        (got,) = session.run(None, {'image': cut.numpy()})
        difference, like = float(np.abs(expected - got).max()), float((expected.argmax(1) == got.argmax(1)).mean())
        print(f'{tuple(got.shape)}: largest difference {difference:.2e}, the same class in {100 * like:.3f} %')
        if not (difference <= TOLERANCE and like >= LIKE):
            raise SystemExit('the exported network is another one')
    if options.golden:
        options.golden.write_text(json.dumps(golden()) + '\n')
    print(f'step {stored["step"]}, {sum(p.numel() for p in net.parameters())} parameters, {options.out.stat().st_size} bytes')


if __name__ == '__main__':
    main()
