"""Holds signals.py against painted cases: the signal of the painted parameters is the painted signal where a voxel has one tissue.

    python3 check.py --cases CASES

Prints the median relative difference of each contrast over flat tissue; above 2 % something differs.
"""

import argparse
import pathlib

import numpy as np
import torch
from scipy import ndimage

import data
import signals

parser = argparse.ArgumentParser()
parser.add_argument('--cases', type=pathlib.Path, required=True)
cases = data.Cases(parser.parse_args().cases)
differences = {}
for index in range(0, len(cases), max(1, len(cases) // 12)):
    patient, sample, _ = cases.slices[index]
    names = ('protonDensity', 't1Ms', 't2Ms', 'fatFraction')
    maps = signals.maps_of(*(torch.from_numpy(cases.image(index, name))[None] for name in names))
    contrasts = signals.contrasts_of([sample['sequences']], [0], data.sequence_numbers, [dict(t1=patient['fat']['t1Ms'], t2=patient['fat']['t2Ms'])])
    label = cases.image(index, 'label')
    flat = (ndimage.minimum_filter(label, 7) == ndimage.maximum_filter(label, 7)) & (cases.image(index, 'protonDensity') > 0.3)
    for name, contrast in contrasts.items():
        painted, computed = cases.image(index, name)[flat], contrast.signal(maps)[0].numpy()[flat]
        differences.setdefault(name, []).append(np.median(np.abs(computed - painted)) / np.mean(np.abs(painted)))
for name, values in differences.items():
    print(f'{name}: {100 * np.mean(values):.2f} % (worst slice {100 * np.max(values):.2f} %)')
