"""Writes a checkpoint's averaged network as ONNX and checks ONNX Runtime against PyTorch on painted slices.

    python3 export.py maps --checkpoint OUT/maps.pt --cases CASES --out ../../synthesis-maps/model.onnx

Fails where an output differs by more than 1e-4 (of each map's own unit: logarithms, so parts of ten thousand).
"""

import argparse
import pathlib

import numpy as np
import onnxruntime
import torch

import data
import signals
from network import Direct, Maps
from scanner import target_vector

TOLERANCE = 1e-4
NAMES = {'maps': (['images', 'exam'], ['maps', 'spread']), 'direct': (['images', 'exam', 'target'], ['contrasts'])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=tuple(NAMES))
    parser.add_argument('--checkpoint', type=pathlib.Path, required=True)
    parser.add_argument('--cases', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    stored = torch.load(options.checkpoint, map_location='cpu')
    net = Maps() if options.kind == 'maps' else Direct()
    net.load_state_dict(stored['average'])
    net.eval()
    inputs, outputs = NAMES[options.kind]
    rng = np.random.default_rng(3)
    cases = data.Cases(options.cases, lambda seed: seed % 20 == 0)
    (images, exam, _), made = data.batch(cases, rng, 2, data.Options())
    fed = [torch.from_numpy(images), torch.from_numpy(exam)]
    if options.kind == 'direct':
        fed.append(target_vector(signals.sequences_of([one['sequences'] for one in made], data.sequence_numbers)))
    image_axes = {0: 'n', 2: 'rows', 3: 'columns'}
    axes = {name: image_axes if name in ('images', 'maps', 'spread', 'contrasts') else {0: 'n'} for name in inputs + outputs}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        net, tuple(fed), str(options.out), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17,
        do_constant_folding=True,
    )
    session = onnxruntime.InferenceSession(str(options.out), providers=['CPUExecutionProvider'])
    # Another size than that of the export, so that nothing of it is frozen in the graph.
    for part in (lambda x: x, lambda x: x[:1, :, :192, :224]):
        cut = [part(tensor) if tensor.dim() == 4 else tensor[: len(part(fed[0]))] for tensor in fed]
        with torch.no_grad():
            expected = net(*cut)
        expected = expected if isinstance(expected, tuple) else (expected,)
        got = session.run(None, {name: tensor.numpy() for name, tensor in zip(inputs, cut)})
        for name, a, b in zip(outputs, expected, got):
            difference = float(np.abs(a.numpy() - b).max())
            print(f'{name} {tuple(b.shape)}: largest difference {difference:.2e}')
            if not difference <= TOLERANCE:
                raise SystemExit(f'{name} differs by {difference}')
    print(f'step {stored["step"]}, {sum(p.numel() for p in net.parameters())} parameters, {options.out.stat().st_size} bytes')


if __name__ == '__main__':
    main()
