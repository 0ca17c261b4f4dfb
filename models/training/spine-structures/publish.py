"""manifest.json, and card.md from card.in.md, with what evaluate.py measured.

python3 publish.py --folder ../../spine-structures --version 1.0.0 --parameters 1978000 [--folds FOLD/evaluation.json ...]

Without evaluation.json in the folder: a manifest without numbers, for trying the network out.
"""

import argparse
import hashlib
import json
import pathlib

from structures import CLASSES

REAL = 'real sagittal lumbar T2 SPACE of SPIDER, 8 patients never seen; dark outlines between the masks not counted'
BANK = 'simulated patients never seen (seeds 700000 and more), with a coil\'s shading, blur and noise (SNR 15 to 60)'
CONTRASTS = dict(t1w='T1w', t2w='T2w', stir='STIR', t2fs='T2 fat-sat', ct='CT')
GROUPS = ('vertebra', 'disc', 'canal')
# Asked for: vertebra, disc, canal.
WANTED = dict(midSagittal=(0.88, 0.88, 0.90), all=(0.84, 0.84, 0.86), agreement=(0.93, 0.93, 0.90), simulated=(0.95, 0.93, 0.95))
WANTED_AREA_ERROR = 8


def metrics(found, folds):
    rows = []

    def add(name, value, on):
        if value is not None:
            rows.append({'name': name[:64], 'value': value, 'measuredOn': on})

    for group in GROUPS:
        add(f'Dice, {group}, mid-sagittal', found['real']['midSagittal']['dice'][group], REAL)
        add(f'Dice, {group}, all slices', found['real']['all']['dice'][group], REAL)
        add(f'Dice, {group}, all contrasts, mid-sagittal', found['sagittal']['midSagittal']['all'][group], BANK + '; of a patient the sagittal slice with the most canal')
        add(f'Dice, {group}, all contrasts', found['sagittal']['all'][group], BANK + '; sagittal, up to 22 mm off the midline')
        add(f'T1w against T2w, {group}', found['sagittal']['t1wAgainstT2w'][group], BANK + '; sagittal, Dice of the two results')
        if folds:
            values = [fold['midSagittal']['dice'][group] for fold in folds]
            add(f'Dice, {group}, mid-sagittal, mean of folds', round(sum(values) / len(values), 4), 'cross-validation by patient over the other 24, T2 SPACE')
            add(f'Dice, {group}, mid-sagittal, worst fold', min(values), 'cross-validation by patient over the other 24, T2 SPACE')
    for name in CLASSES[1:]:
        add(f'Dice, {name}, axial', found['axial']['byClass'].get(name), BANK + '; axial, in the planes of discs')
    for contrast, errors in found['sacArea']['narrow'].items():
        add(f'Area of a narrow sac, median absolute error, {CONTRASTS[contrast]}', errors['medianAbsolute'], '%; ' + BANK + '; axial, sacs below 130 mm²')
    add('Dice, vertebra, T1w and T2w', found['lumbar']['vertebra'], 'real sagittal lumbar T1w and T2w of SPIDER, in no training set, patients unknown')
    return rows


def manifest(model, found, folds, version):
    return {
        'id': 'spine-structures',
        'version': version,
        'title': 'Structures of the spine in slices of any contrast',
        'licence': 'Apache-2.0',
        'sha256': hashlib.sha256(model.read_bytes()).hexdigest(),
        'task': 'segmentation',
        'inputs': {
            'image': {
                'shape': ['n', 1, 'rows', 'columns'],
                'unit': 'means of the foreground; of CT (HU + 200) / 400',
                'meaning': 'MR magnitude over the mean of its pixels above 10 % of the 99th percentile, or CT as said, clipped to 0 to 6; square pixels, nominally 0.8 mm '
                'sagittal and 0.625 mm axial; row 0 is the head or the front, column 0 the front or the patient\'s right',
            },
        },
        'outputs': {
            'logits': {'shape': ['n', len(CLASSES), 'rows', 'columns'], 'unit': 'logarithms of odds', 'meaning': 'softmax gives the probability of ' + ', '.join(CLASSES)},
        },
        'patch': {'multipleOf': 16},
        'validatedOn': {
            'contrasts': ['t1w', 't2w', 'stir', 't2fs', 'ct'],
            'fieldStrengthsT': [1.5, 3],
            'anatomy': 'cervical, thoracic and lumbar spine and sacrum of simulated adults; real lumbar T2w and, vertebrae only, T1w',
            'orientations': ['sagittal', 'axial'],
            'matrix': [128, 640],
            'pixelSpacingMm': [0.5, 1.2],
            'sliceThicknessMm': [0.9, 4.5],
            'snr': [10, 200],
        },
        'intendedUse': 'Outlines for measuring and for numbering levels, always shown over the image that they come from, for a reader to check. Research only. '
        'Not for operated or metal-bearing spines, children, tumours that replace bone, nor for radiotherapy or surgical planning.',
        'trainingData': [
            'slices of digital spines of conus simulate: T1w, T2w, STIR, T2 fat-sat, CT and random contrasts, with pathologies (own)',
            'SPIDER (van der Graaf et al. 2024, doi 10.1038/s41597-024-03090-w): sagittal lumbar T2 SPACE and T2w slices with vertebra, disc and canal (CC BY 4.0)',
        ],
        'metrics': metrics(found, folds) if found else [],
        'timeoutMs': 20_000,
    }


def table(head, rows):
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join('' if cell is None else str(cell) for cell in line) + ' |' for line in lines)


def numbers(groups, digits=3):
    return ' / '.join('–' if groups.get(name) is None else f'{groups[name]:.{digits}f}' for name in GROUPS)


def against(groups, wanted):
    missed = [name for name, least in zip(GROUPS, wanted) if groups.get(name) is not None and groups[name] < least]
    return ' / '.join(f'{least:.2f}' for least in wanted) + (f' (**missed**: {", ".join(missed)})' if missed else '')


def real_table(found, folds):
    row = lambda title, part, wanted: [title, numbers(part), against(part, wanted) if wanted else '']
    real, other = found['real'], found['realT2w']
    rows = [
        row(f'T2 SPACE, {real["patients"]} patients, mid-sagittal', real['midSagittal']['dice'], WANTED['midSagittal']),
        row('the worst of these slices', real['midSagittalWorst'], None),
        row('the same, outlines counted as background', real['midSagittal']['strict'], None),
        row(f'all {real["slices"]} slices', real['all']['dice'], WANTED['all']),
        row('the same, without abstaining', real['all']['withoutAbstaining'], None),
        row('the same, outlines counted as background', real['all']['strict'], None),
        row(f'2D T2w, {other["slices"]} slices of {other["patients"]} patients', other['all']['dice'], None),
    ]
    if folds:
        values = lambda key, name: [fold[key]['dice'][name] for fold in folds]
        for key, title in (('midSagittal', 'mid-sagittal'), ('all', 'all slices')):
            rows.append(row(f'three folds, {title}, mean', {name: sum(values(key, name)) / len(folds) for name in GROUPS}, None))
            rows.append(row(f'three folds, {title}, worst fold', {name: min(values(key, name)) for name in GROUPS}, None))
    return table(['real, Dice', 'vertebra / disc / canal', 'asked for'], rows)


def simulated_table(found):
    sagittal, axial = found['sagittal'], found['axial']
    middle = sagittal['midSagittal']
    columns = (middle, sagittal, axial)
    rows = [[title, *(numbers(part['byContrast'][key]) for part in columns)] for key, title in CONTRASTS.items()]
    rows += [
        ['all contrasts', *(numbers(part['all']) for part in columns)],
        ['asked for', *(against(part['all'], WANTED['simulated']) for part in columns)],
        ['T1w against T2w', *(numbers(part['t1wAgainstT2w']) for part in columns)],
        ['asked for', *(against(part['t1wAgainstT2w'], WANTED['agreement']) for part in columns)],
    ]
    head = ['simulated, Dice: vertebra / disc / canal', f'mid-sagittal, {middle["slices"]} slices', f'sagittal up to 22 mm off, {sagittal["slices"]} slices', f'axial, {axial["slices"]} slices']
    return table(head, rows)


def class_table(found):
    return table(['class', 'sagittal', 'axial'], [[name, found['sagittal']['byClass'].get(name), found['axial']['byClass'].get(name)] for name in CLASSES[1:]])


def area_table(found):
    rows = [
        [title, errors['slices'], f'{errors["median"]:+.1f} %', f'{errors["medianAbsolute"]:.1f} %', f'{WANTED_AREA_ERROR} %']
        for size, name in (('narrow', 'below 130 mm²'), ('wide', '130 mm² and more'))
        for title, errors in ((f'{CONTRASTS[contrast]}, sac {name}', errors) for contrast, errors in found['sacArea'].get(size, {}).items())
    ]
    return table(['axial, at discs with stenosis', 'slices', 'median error of the area', 'median absolute error', 'asked for'], rows)


def calibration_table(found):
    places = (('real T2 SPACE', 'real'), ('real 2D T2w', 'realT2w'), ('simulated, sagittal', 'sagittal'), ('simulated, axial', 'axial'))
    rows = []
    for title, key in places:
        for group in GROUPS:
            part = found[key]['reliability'][group]
            rows.append([title, group, part['meanConfidence'], part['precision'], part['expectedCalibrationError']])
    return table(['where', 'structure', 'mean probability of its pixels', 'share that is right', 'expected calibration error'], rows)


def lumbar_table(found):
    pair = found['lumbar']['pair']
    return table(
        ['real T1w and T2w', 'value'],
        [
            [f'vertebrae, {found["lumbar"]["slices"]} slices, Dice', found['lumbar']['vertebra']],
            ['10025_11 (T1w): vertebrae', f'{pair["vertebraT1w"]:.3f}'],
            ['10026_11 (T2w of the same slice): vertebrae', f'{pair["vertebraT2w"]:.3f}'],
            ['the two results against each other, vertebra / disc / canal', numbers(pair)],
        ],
    )


def false_canal(found):
    sagittal, real = found['sagittal']['withoutCanal'], found['real']['withoutCanal']
    slices = [*real['falseCanalMm2'], *found['realT2w']['withoutCanal']['falseCanalMm2']]
    told = f'in {sagittal["images"]} simulated sagittal images beside the canal {sagittal["falseCanalMm2"]:.1f} mm² of false canal on the mean, {sagittal["above"]} of them with more than 50 mm²'
    return told + (f'; in {len(slices)} real slices without canal: ' + ', '.join(f'{area:.0f}' for area in slices) + ' mm²' if slices else '')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--folder', type=pathlib.Path, required=True)
    parser.add_argument('--version', required=True)
    parser.add_argument('--parameters', required=True)
    parser.add_argument('--folds', type=pathlib.Path, nargs='*', default=[])
    options = parser.parse_args()
    evaluation = options.folder / 'evaluation.json'
    found = json.loads(evaluation.read_text()) if evaluation.exists() else None
    if found and options.folds:
        found['folds'] = [{key: fold[key] for key in ('slices', 'patients', 'midSagittal', 'midSagittalWorst', 'all')} for fold in (json.loads(path.read_text()) for path in options.folds)]
        evaluation.write_text(json.dumps(found, indent=1) + '\n')
    folds = found.get('folds', []) if found else []
    text = json.dumps(manifest(options.folder / 'model.onnx', found, folds, options.version), indent=2, ensure_ascii=False)
    (options.folder / 'manifest.json').write_text(text + '\n')
    if not found:
        return
    card = (pathlib.Path(__file__).parent / 'card.in.md').read_text().format(
        version=options.version, parameters=f'{int(options.parameters):,}', real=real_table(found, folds), simulated=simulated_table(found), classes=class_table(found), areas=area_table(found),
        calibration=calibration_table(found), lumbar=lumbar_table(found), falseCanal=false_canal(found), threshold=found['thresholds']['canal'],
        latency=found['oneThreadCpuMs352'],
    )
    (options.folder / 'card.md').write_text(card)


if __name__ == '__main__':
    main()
