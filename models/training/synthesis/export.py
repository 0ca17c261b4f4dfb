"""Writes the averaged networks of two checkpoints as one ONNX graph and checks ONNX Runtime against PyTorch on painted slices.

    python3 export.py --maps OUT/maps.pt --direct OUT/direct.pt --cases CASES --out ../../synthesis-maps/model.onnx

The image-to-image network is asked where T1w and T2w are both there; elsewhere its output is zero and takes no time.
Fails where an output differs by more than 1e-4 (of each map's own unit: logarithms, so parts of ten thousand).
"""

import argparse
import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

import data
import signals
from network import EXAM, TARGET, Direct, Maps
from scanner import target_vector

TOLERANCE = 1e-4
OPSET = 17
HAS_T1W = 16
INPUTS = ('images', 'exam', 'target')
OUTPUTS = dict(maps=4, spread=8, doubt=2, contrasts=2)


def network_of(kind, checkpoint):
    stored = torch.load(checkpoint, map_location='cpu')
    net = kind()
    net.load_state_dict(stored['average'])
    print(f'step {stored["step"]}, {sum(p.numel() for p in net.parameters())} parameters')
    return net.eval()


def graph_of(net, fed, inputs, outputs, folder):
    path = pathlib.Path(folder) / 'part.onnx'
    axes = {name: {0: 'n', **({2: 'rows', 3: 'columns'} if name in (*OUTPUTS, 'images') else {})} for name in (*inputs, *outputs)}
    torch.onnx.export(net, fed, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=OPSET, do_constant_folding=True)
    return onnx.load(str(path)).graph


def prefixed(graph, prefix, kept):
    """The nodes and weights of a graph with names of their own, but for those in `kept`."""
    name = lambda old: old if old in kept or old == '' else prefix + old
    nodes, weights = [], []
    for node in graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = prefix + node.name
        del copy.input[:], copy.output[:]
        copy.input.extend(name(old) for old in node.input)
        copy.output.extend(name(old) for old in node.output)
        nodes.append(copy)
    for weight in graph.initializer:
        copy = onnx.TensorProto()
        copy.CopyFrom(weight)
        copy.name = name(weight.name)
        weights.append(copy)
    return nodes, weights


def joined(maps, direct):
    """One graph of both."""
    nodes, weights = prefixed(maps, 'maps_', {*INPUTS, *OUTPUTS})
    direct_nodes, direct_weights = prefixed(direct, 'direct_', {*INPUTS})
    image = lambda name, channels, rows='rows', columns='columns': helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', channels, rows, columns])
    asked = helper.make_graph(direct_nodes, 'both', [], [image('direct_contrasts', 2)], direct_weights)
    constant = lambda name, values: numpy_helper.from_array(np.array(values), name)
    nothing = helper.make_graph(
        [
            helper.make_node('Shape', ['images'], ['none_shape']),
            helper.make_node('Div', ['none_shape', 'none_divisors'], ['none_of_two']),
            helper.make_node('ConstantOfShape', ['none_of_two'], ['none_contrasts'], value=helper.make_tensor('value', TensorProto.FLOAT, [1], [0.0])),
        ],
        'one', [], [image('none_contrasts', 2)],
        [constant('none_divisors', np.int64([1, 2, 1, 1]))],
    )
    weights += [constant('has_axis', np.int64([1])), constant('has_from', np.int64([HAS_T1W])), constant('has_to', np.int64([HAS_T1W + 2])), constant('has_half', np.float32(0.5))]
    nodes += [
        helper.make_node('Slice', ['exam', 'has_from', 'has_to', 'has_axis'], ['has']),
        helper.make_node('ReduceMin', ['has'], ['has_both'], keepdims=0),
        helper.make_node('Greater', ['has_both', 'has_half'], ['is_asked']),
        helper.make_node('If', ['is_asked'], ['contrasts'], then_branch=asked, else_branch=nothing),
    ]
    vector = lambda name, size: helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', size])
    outputs = [image(name, channels, *(('halfRows', 'halfColumns') if name == 'doubt' else ())) for name, channels in OUTPUTS.items()]
    graph = helper.make_graph(nodes, 'synthesis', [image('images', 4), vector('exam', EXAM), vector('target', TARGET)], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('maps', 'direct', 'cases', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    maps, direct = network_of(Maps, options.maps), network_of(Direct, options.direct)
    rng = np.random.default_rng(3)
    cases = data.Cases(options.cases, lambda seed: seed % 20 == 0)
    (images, exam, _), made = data.batch(cases, rng, 2, data.Options())
    target = target_vector(signals.sequences_of([one['sequences'] for one in made], data.sequence_numbers))
    fed = [torch.from_numpy(images), torch.from_numpy(exam), target]
    with tempfile.TemporaryDirectory() as folder:
        model = joined(
            graph_of(maps, tuple(fed[:2]), INPUTS[:2], tuple(OUTPUTS)[:3], folder), graph_of(direct, tuple(fed), INPUTS, ('contrasts',), folder)
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(options.out))
    session = onnxruntime.InferenceSession(str(options.out), providers=['CPUExecutionProvider'])
    # Other sizes than that of the export, so that nothing of it is frozen in the graph; and one image alone.
    alone = exam.copy()
    alone[:, HAS_T1W] = 0
    for part, told in ((lambda x: x, exam), (lambda x: x[:1, :, :192, :224], exam), (lambda x: x[:, :, :144, :144], alone)):
        images, exam_, target_ = part(fed[0]), torch.from_numpy(told)[: len(part(fed[0]))], target[: len(part(fed[0]))]
        with torch.no_grad():
            expected = (*maps(images, exam_), direct(images, exam_, target_) if told is exam else torch.zeros(len(images), 2, *images.shape[2:]))
        got = session.run(list(OUTPUTS), {name: tensor.numpy() for name, tensor in zip(INPUTS, (images, exam_, target_))})
        for name, a, b in zip(OUTPUTS, expected, got):
            difference = float(np.abs(a.numpy() - b).max())
            print(f'{name} {tuple(b.shape)}: largest difference {difference:.2e}')
            if not difference <= TOLERANCE:
                raise SystemExit(f'{name} differs by {difference}')
    print(f'{options.out.stat().st_size} bytes')


if __name__ == '__main__':
    main()
