"""manifest.json, and card.md from card.in.md, with what evaluate.py measured: publish.py --folder ../../synthetic-ct --version 1.0.0 ..."""
import argparse
import hashlib
import json
from pathlib import Path

SIMULATED = 'simulated patients of seeds never seen, end to end: noise, shading, blur, shifts, maps of synthesis-maps'
LABELLED = 'a real CT never seen (TotalSegmentator example, T11 to S1, 3 mm), MR computed from its labels, end to end'
KINDS = (('simulated', SIMULATED), ('labelled CT', LABELLED))
LENGTHS = tuple(f'{kind}{where}' for where in ('', ', sacrum') for kind in ('height', 'canal, sagittal', 'canal, axial'))
NAMES = {'body': 'body', 'bone': 'bone', 'vertebrae': 'vertebrae', 'bodies': 'vertebral bodies'}


def metrics(results):
    found = []
    add = lambda name, value, on, unit=None: found.append({'name': name, 'value': value, **({'unit': unit} if unit else {}), 'measuredOn': on})
    for kind, on in KINDS:
        one = results[f'{kind}, end to end']
        for group, name in NAMES.items():
            add(f'mean absolute error, {name}', one[group]['maeHu'], on, 'HU')
            add(f'within the 90 % interval, {name}', one[group]['inInterval'], on)
        for length in LENGTHS:
            if length in one and one[length]['count'] >= 5:
                add(f'{length}: median absolute error', one[length]['medianAbsolutePercent'], on, '%')
                add(f'{length}: within 5 %', one[length]['within5Percent'], on)
    return found


def manifest(model, results, version):
    port = lambda channels, unit, meaning: {'shape': ['n', channels, 'rows', 'columns'], 'unit': unit, 'meaning': meaning}
    return {
        'id': 'synthetic-ct', 'version': version, 'title': 'Synthetic CT of the spine from T1w and T2w', 'licence': 'Apache-2.0',
        'sha256': hashlib.sha256(model.read_bytes()).hexdigest(), 'task': 'synthesis',
        'inputs': {
            'images': port(2, 'over the mean of the foreground', 'T1w, T2w without shading'),
            'maps': port(4, 'logarithms', 'ln of proton density (water 1), ln(T1 of water/ms), ln(T2 of water/ms), logit of the fat fraction: outputs of synthesis-maps'),
        },
        'outputs': {
            'hounsfield': port(1, 'HU', 'CT number'),
            'spread': port(1, 'ln(HU)', 'logarithm of half the width of the interval that holds the true value in nine of ten pixels'),
        },
        'patch': {'multipleOf': 32},
        'validatedOn': {
            'contrasts': ['t1w', 't2w'], 'fieldStrengthsT': [1.5, 3], 'anatomy': 'cervical, thoracic and lumbar spine of simulated adults; one real lumbar CT',
            'orientations': ['sagittal', 'axial'], 'matrix': [288, 288], 'pixelSpacingMm': [0.65, 1.1], 'sliceThicknessMm': [2.5, 4.5], 'snr': [12, 80],
        },
        'intendedUse': 'An impression of bone shape beside the T1w and T2w that it was computed from. Research only. '
                       'Not for measuring (lengths within the acquired planes are off by more than 5 % too often), bone density, fracture lines, calcification, radiotherapy planning or implants.',
        'trainingData': ['simulated patients of conus, painted by models/training/synthesis/paint.ts (own)',
                         'TPTBox CT sample, an L3 and its neighbours at 1.5 mm, smoothed, its MR computed from its labels (Apache-2.0)'],
        'metrics': metrics(results), 'timeoutMs': 20_000,
    }


def table(head, rows):
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(str(cell) for cell in line) + ' |' for line in lines)


def errors_table(results):
    rows = []
    for name, one in results.items():
        for group in ('body', 'bone', 'vertebrae', 'bodies', 'air'):
            if group in one:
                r = one[group]
                rows.append([name, NAMES.get(group, 'air'), f'{r["maeHu"]:.0f} ({r["worstSliceMaeHu"]:.0f})', f'{r["biasHu"]:+.0f}', f'{100 * r["inInterval"]:.0f} %', f'{r["medianHalfWidthHu"]:.0f}'])
    return table(['data, maps', 'where', 'mean absolute error (worst slice), HU', 'bias, HU', 'within the interval', 'its half width, HU (median)'], rows)


def lengths_table(results):
    rows = [
        [name, length, f'{r["count"]} ({r["notFound"]})', r['medianTrueMm'], f'{r["meanErrorPercent"]:+.1f}', r['medianAbsolutePercent'], r['p95AbsolutePercent'], f'{100 * r["within5Percent"]:.0f} %']
        for name, one in results.items() for length in LENGTHS if (r := one.get(length)) and r['meanErrorPercent'] is not None
    ]
    return table(['data, maps', 'length', 'count (edge not found)', 'median, mm', 'mean error, %', 'median absolute, %', '95th percentile, %', 'within 5 %'], rows)


def misses(results):
    found = []
    for kind, _ in KINDS:
        one = results[f'{kind}, end to end']
        if one['bone']['maeHu'] > 150:
            found.append(f'- **Missed**: bone within 150 HU, {kind}: {one["bone"]["maeHu"]:.0f} HU.')
        for group in ('body', 'bone', 'vertebrae'):
            if not 0.87 <= one[group]['inInterval'] <= 0.93:
                found.append(f'- **Missed**: interval in {group}, {kind}: holds {100 * one[group]["inInterval"]:.0f} %.')
        for length in LENGTHS:
            if length in one and one[length]['within5Percent'] < 0.95:
                r = one[length]
                found.append(f'- **Missed** in part: {length}, {kind}: {100 * r["within5Percent"]:.0f} % of {r["count"]} lengths within 5 % (median off by {r["medianAbsolutePercent"]} %).')
    return '\n'.join(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--folder', type=Path, required=True)
    for name in ('version', 'maps-version', 'parameters', 'training-patients', 'blurred'):
        parser.add_argument(f'--{name}', required=True)
    options = parser.parse_args()
    evaluation = json.loads((options.folder / 'evaluation.json').read_text())
    results, sets = evaluation['results'], evaluation['sets']
    text = json.dumps(manifest(options.folder / 'model.onnx', results, options.version), indent=2, ensure_ascii=False)
    (options.folder / 'manifest.json').write_text(text + '\n')
    card = (Path(__file__).parent / 'card.in.md').read_text().format(
        version=options.version, mapsVersion=options.maps_version, parameters=f'{int(options.parameters):,}', trainingPatients=options.training_patients,
        simulatedSlices=sets['simulated']['slices'], simulatedPatients=sets['simulated']['patients'], labelledSlices=sets['labelled CT']['slices'],
        errors=errors_table(results), lengths=lengths_table(results), blurred=options.blurred, misses=misses(results), latency=evaluation['oneThreadCpuMs320'],
    )
    (options.folder / 'card.md').write_text(card)


if __name__ == '__main__':
    main()
