"""checkpoint -> model.onnx (opset 17, dynamic n, rows, columns): export.py CHECKPOINT OUT.onnx"""
import sys
import torch
from network import CtDenoiser


def export(network, path):
    network.eval()
    example = (torch.randn(1, 1, 64, 96), torch.ones(1, 1, 64, 96))
    axes = {0: 'n', 2: 'rows', 3: 'columns'}
    torch.onnx.export(network, example, path, opset_version=17, input_names=['image', 'noise'], output_names=['denoised'],
                      dynamic_axes={name: axes for name in ('image', 'noise', 'denoised')})


def load(path):
    state = torch.load(path, map_location='cpu')
    network = CtDenoiser(tuple(state['channels']))
    network.load_state_dict(state['network'])
    return network.eval()


if __name__ == '__main__':
    export(load(sys.argv[1]), sys.argv[2])
