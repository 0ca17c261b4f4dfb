"""checkpoint -> model.onnx (opset 17, dynamic n, rows, columns): export.py CHECKPOINT OUT.onnx

The checkpoint may be a model.onnx, of which the weights are taken: what is round the U-Net is as it is now.
"""
import sys
from onnx import load as read_graph, numpy_helper
import torch
from network import CtDenoiser


def export(network, path):
    network.eval()
    example = (torch.randn(1, 1, 64, 96), torch.ones(1, 1, 64, 96))
    axes = {0: 'n', 2: 'rows', 3: 'columns'}
    torch.onnx.export(network, example, path, opset_version=17, input_names=['image', 'noise'], output_names=['denoised'],
                      dynamic_axes={name: axes for name in ('image', 'noise', 'denoised')})


def load(path):
    state = weights_of(path) if path.endswith('.onnx') else torch.load(path, map_location='cpu')
    network = CtDenoiser(tuple(state['channels']))
    network.load_state_dict({name: value for name, value in state['network'].items() if name in network.state_dict()})
    return network.eval()


def weights_of(path):
    arrays = {tensor.name: torch.tensor(numpy_helper.to_array(tensor).copy()) for tensor in read_graph(path).graph.initializer}
    channels = [arrays['first.weight'].shape[0]]
    while f'down.{len(channels) - 1}.weight' in arrays:
        channels.append(arrays[f'down.{len(channels) - 1}.weight'].shape[0])
    return {'channels': channels, 'network': arrays}


if __name__ == '__main__':
    export(load(sys.argv[1]), sys.argv[2])
