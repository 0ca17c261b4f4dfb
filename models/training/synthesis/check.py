"""Holds signals.py and scanner.py against painted cases.

    python3 check.py --cases CASES [--slices SLICES]

The signal of the painted parameters is the painted signal where a voxel has one tissue: prints the median relative difference of each
contrast over flat tissue; above 2 % something differs. And where SLICES are patients of CASES painted `--as shares`, what scanner.py
paints of their tissues is what paint.ts painted: prints the root mean square of the difference over that of the image; above 5 % something differs.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from scipy import ndimage

import data
import scanner
import signals


def person(patients, samples):
    """Sequences and contrasts of slices, with their patient's own fat."""
    sequences = signals.sequences_of([sample['sequences'] for sample in samples], data.sequence_numbers)
    fat = {key: signals.column([patient['fat'][f'{key}Ms'] for patient in patients]) for key in ('t1', 't2')}
    return sequences, signals.contrasts(sequences, fat)


def check_signals(cases):
    differences = {}
    for index in range(0, len(cases), max(1, len(cases) // 12)):
        patient, sample, _ = cases.slices[index]
        names = ('protonDensity', 't1Ms', 't2Ms', 'fatFraction')
        maps = signals.maps_of(*(torch.from_numpy(cases.image(index, name))[None] for name in names))
        label = cases.image(index, 'label')
        flat = (ndimage.minimum_filter(label, 7) == ndimage.maximum_filter(label, 7)) & (cases.image(index, 'protonDensity') > 0.3)
        for name, contrast in person([patient], [sample])[1].items():
            painted, computed = cases.image(index, name)[flat], contrast.signal(maps)[0].numpy()[flat]
            differences.setdefault(name, []).append(np.median(np.abs(computed - painted)) / np.mean(np.abs(painted)))
    return differences


def check_painting(cases, folder):
    differences = {}
    for path in sorted(folder.glob('*.json')):
        patient = json.loads(path.read_text())
        found = [index for index, (one, _, _) in enumerate(cases.slices) if one['seed'] == patient['seed']]
        if not found:
            continue
        samples = patient['samples']
        stored = torch.from_numpy(np.fromfile(path.with_suffix('.bin'), np.uint8).reshape(len(samples), -1, patient['matrix'], patient['matrix']))
        sequences, contrasts = person([patient] * len(samples), samples)
        tissues, shift = (torch.tensor([sample[key] for sample in samples]) for key in ('tissues', 'fatShiftPixels'))
        truth = scanner.painted(stored, tissues, sequences, contrasts, shift)
        for name in data.TRUTH[:8]:
            painted = np.stack([cases.image(index, name) for index in found])
            differences.setdefault(name, []).append(np.sqrt(((truth[name].numpy() - painted) ** 2).mean() / (painted**2).mean()))
    return differences


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--cases', type=pathlib.Path, required=True)
parser.add_argument('--slices', type=pathlib.Path)
arguments = parser.parse_args()
every = data.Cases(arguments.cases)
checks = [('signal', check_signals(every))] + ([('painting', check_painting(every, arguments.slices))] if arguments.slices else [])
for what, differences in checks:
    for name, values in differences.items():
        print(f'{what}, {name}: {100 * np.mean(values):.2f} % (worst {100 * np.max(values):.2f} %)')
