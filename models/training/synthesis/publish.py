"""manifest.json, and card.md from card.in.md, with what evaluate.py and panel.py measured.

python3 publish.py --folder ../../synthesis-maps --version 1.0.0 --parameters 2180540 --training TEXT
"""

import argparse
import hashlib
import json
import math
import pathlib

import gate
import lesions

BANK = 'slices of simulated patients that training never saw (bank.py), T1w and T2w with noise, shading and small misregistration; '
UNKNOWN = BANK + 'relative scale unknown'
EXAMS = dict(unknown='T1w and T2w', known='relative scale known', dixon='with a Dixon fat fraction', fatsat='with a T2 fat-sat series')
TITLES = dict(stir='STIR', t2fs='T2 fat-sat')


def metrics(found):
    rows = []

    def add(name, value, on, unit=None):
        rows.append({'name': name[:64], 'value': value, **({'unit': unit} if unit else {}), 'measuredOn': on})

    for prior, part in found['quality'].items():
        on = f'{UNKNOWN}; {prior} prior of tissues'
        for name, title in TITLES.items():
            add(f'{title} PSNR, mean, {prior} prior', part['means'][f'unknown delivered {name} psnr'], on, 'dB')
            add(f'{title} SSIM, mean, {prior} prior', part['means'][f'unknown delivered {name} ssim'], on)
            gain = part['gains'][f'{name}: delivered over cubic, dB']
            add(f'{title} PSNR over a cubic per pixel, {prior} prior', gain['mean'], on, 'dB')
        add(f'fat fraction, median error, {prior} prior', part['means']['unknown fat fraction'], on, 'points')
    marrow = found['lesions']['all lesions of marrow']
    add('lesions of marrow brighter than marrow in STIR', marrow['stir brighter, share'], UNKNOWN)
    add('the same in the acquired T2w', marrow['t2w brighter, share'], UNKNOWN)
    add('false lesions a healthy slice, at 90 % of frank ones', found['invented']['frank']['synthetic a slice'], UNKNOWN)
    for kind, value in found['gate']['auroc'].items():
        add(f'gate, AUROC, {kind}', value, UNKNOWN + '; faults planted')
    add('gate on whole series, AUROC, echoTime', found['exams']['echoTime']['auroc'], 'whole sagittal series of simulated patients that nothing was fitted to; echo time told 15 ms wrong')
    return rows


def manifest(model, found, version):
    pixels = ['rows', 'columns']
    return {
        'id': 'synthesis-maps',
        'version': version,
        'title': 'Tissue parameters from T1w and T2w of the spine',
        'licence': 'Apache-2.0',
        'sha256': hashlib.sha256(model.read_bytes()).hexdigest(),
        'task': 'synthesis',
        'inputs': {
            'images': {
                'shape': ['n', 4, *pixels],
                'unit': 'means of the foreground; fat fraction 0 to 1',
                'meaning': 'T1w, T2w (fast spin echo, registered, without shading, each over its mean), fat fraction of a Dixon scan or 0, '
                'fat-suppressed T2w over its mean or 0; an image that is left out is 0',
            },
            'exam': {
                'shape': ['n', 18],
                'unit': 'logarithms and flags',
                'meaning': 'TR, TE and train length of T1w and T2w, field strength, relative scale and whether it is known, what else is there, '
                'pixel size, refocusing angle, which image is there (models/training/synthesis/data.py, exam_vector)',
            },
            'target': {
                'shape': ['n', 8],
                'unit': 'logarithms',
                'meaning': 'TR, TE, TI and train length of STIR, TR, TE and train length of T2 fat-sat over ordinary ones, and 0 '
                '(models/training/synthesis/scanner.py, target_vector); anything where an image is left out',
            },
        },
        'outputs': {
            'maps': {
                'shape': ['n', 4, *pixels],
                'unit': 'logarithms',
                'meaning': 'ln of proton density (water 1), ln of T1 and ln of T2 of the water in ms, logit of the fat fraction; not to be shown as quantities',
            },
            'spread': {
                'shape': ['n', 8, *pixels],
                'unit': 'the same as maps',
                'meaning': 'standard deviation of each map of its own, then its share of one factor that all have in common',
            },
            'doubt': {
                'shape': ['n', 2, 'halfRows', 'halfColumns'],
                'unit': 'logit; logarithm',
                'meaning': 'on 2 x 2 pixels, that one image shows what the other does not; and ln of the echo time of T2w as told over the true one',
            },
            'contrasts': {
                'shape': ['n', 2, *pixels],
                'unit': 'signal per equilibrium magnetisation',
                'meaning': 'magnitude of STIR and T2 fat-sat by the image-to-image network; 0 where an image is left out',
            },
        },
        'patch': {'multipleOf': 16},
        'validatedOn': {
            'contrasts': ['t1w', 't2w'],
            'fieldStrengthsT': [1.5, 3],
            'anatomy': 'cervical, thoracic and lumbar spine of simulated adults; one real lumbar pair looked at',
            'orientations': ['sagittal', 'axial'],
            'matrix': [144, 448],
            'pixelSpacingMm': [0.6, 1.15],
            'sliceThicknessMm': [2.5, 4.5],
            'snr': [12, 80],
        },
        'intendedUse': 'Missing fat-suppressed contrasts (STIR, T2 fat-sat) of spines from fast spin-echo T1w and T2w, by the signal equation and an image-to-image network, shown beside the '
        'acquired series and with their interval and the gate on the pair. Research only. Not for gradient echoes or inversion-prepared T1w, '
        'not after contrast agent, not near metal, not for T1, T2 or proton density as quantities, not to rule out mild oedema of marrow.',
        'trainingData': ['slices of digital spines of conus simulate, T1w, T2w, STIR, T2 fat-sat at 1.5 and 3 T, with pathologies (own)'],
        'metrics': metrics(found),
        'timeoutMs': 20_000,
    }


def table(head, rows):
    return '\n'.join(
        ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)] + ['| ' + ' | '.join(map(str, row)) + ' |' for row in rows]
    )


def quality_table(quality):
    methods = ('delivered', 'equation', 'direct', 'cubic')
    rows = []
    for prior, part in quality.items():
        for name, title in TITLES.items():
            value = lambda method, what: part['means'].get(f'unknown {method} {name} {what}')
            cells = [f'{value(method, "psnr"):.2f} / {value(method, "ssim"):.3f}' if value(method, 'psnr') is not None else '' for method in methods]
            rows.append([f'{title}, {prior} prior', *cells])
    return table(['PSNR (dB) / SSIM', 'delivered: mean of both', 'parameter maps and signal equation', 'image-to-image network', 'cubic per pixel'], rows)


def gains_table(quality):
    rows = []
    for prior, part in quality.items():
        for label, gain in part['gains'].items():
            rows.append([f'{prior} prior, {label.removesuffix(", dB")}', f'{gain["mean"]:+.2f} ({gain["low"]:+.2f} to {gain["high"]:+.2f})', gain['n']])
    return table(['difference', 'dB, mean (95 % interval)', 'slices'], rows)


def fat_table(quality):
    rows = [
        [f'{title}, {prior} prior', part['means'].get(f'{mode} fat fraction'), part['means'].get(f'{mode} fat fraction of vertebrae')]
        for mode, title in EXAMS.items()
        for prior, part in quality.items()
    ]
    return table(['exam', 'fat fraction, median error, points', 'in vertebral bodies'], rows)


def dark_fat(quality):
    return '; '.join(
        f'{prior} prior: {part["means"]["fat over t2w"]:.3f} of the signal of T2w (true {part["means"]["fat over t2w, true"]:.3f})' for prior, part in quality.items()
    )


def lesions_table(found):
    head = ['type', 'n', 'brighter than marrow: T2w', 'STIR', 'true STIR', 'T2 fat-sat', 'contrast to noise over T2w: STIR', 'T2 fat-sat', 'lesion : marrow over the true one: STIR', 'T2 fat-sat']
    keys = ('t2w brighter, share', 'stir brighter, share', 'true stir brighter, share', 't2fs brighter, share', 'stir contrast to noise over t2w',
            't2fs contrast to noise over t2w', 'stir ratio over true', 't2fs ratio over true')
    order = [*lesions.TYPES, 'all lesions of marrow', 'frank lesions of marrow', 'all fluid', 'all fatty lesions']
    return table(head, [[kind, found[kind]['n'], *(found[kind].get(key) for key in keys)] for kind in order if found.get(kind, dict(n=0))['n']])


def invented_table(invented):
    keys = ('lesions', 'threshold', 'synthetic a slice', 'invented a slice', 'trueThreshold', 'true a slice')
    return table(
        ['threshold finds 90 % of', 'lesions', 'threshold, synthetic', 'found a healthy slice', 'of these not in the true STIR', 'threshold, true STIR', 'found a healthy slice in it'],
        [[f'{group} lesions', *(part[key] for key in keys)] for group, part in invented.items()],
    )


def gate_table(found):
    trust = found['gate']
    return table(
        ['fault', 'AUROC', 'stays green'],
        [[kind, value, trust['faultyGreen'][kind]] for kind, value in trust['auroc'].items()],
    )


def blobs_table(found):
    rows = [[f'{third["least"]} to {third["most"]}', third['auroc']] for third in found['gate']['blobs']]
    return table(['standard deviations', 'AUROC'], rows)


def faults_table(exams):
    rows = [
        ['none' if kind == 'none' else kind, row['n'], row.get('aurocOfWorst', ''), row.get('auroc', ''), row['green'], row['amber'], row['red']]
        for kind, row in exams['faults'].items()
    ]
    return table(['fault', 'exams', 'AUROC, worst slice', 'AUROC, deciding slice', 'green', 'amber', 'red'], rows)


def coverage_table(coverage):
    return table(
        ['where', 'STIR, %', 'T2 fat-sat, %', 'patients', 'pixels'],
        [
            [where, *(f'{one["covered"]} ± {one["deviation"]}' for one in (cell, coverage['t2fs'][where])), cell['patients'], cell['pixels']]
            for where, cell in coverage['stir'].items()
        ],
    )


def within_by_chance(coverage):
    """Of how many groups coverage would be within 87 to 93 % were it 90 % in truth: their patients are few, and not others."""
    cells = [cell for table in coverage.values() for cell in table.values()]
    expected = sum(math.erf(3 / max(cell['deviation'], 0.05) / math.sqrt(2)) for cell in cells)
    return f'{sum(87 <= cell["covered"] <= 93 for cell in cells)} of {len(cells)} groups are covered to 87 to 93 %, {expected:.0f} would be if all were at 90 % in truth'


def limits_table(limits):
    return table(['what', 'measured', 'asked for', ''], [[row['what'], row['value'], row['asked'], '' if row['holds'] else '**missed**'] for row in limits])


def real_table(real):
    rows = [
        [name, f'{one["fatOverT2w"]}{" **missed**" if one["fatOverT2w"] > 0.1 else ""}', one['itInT2w'], one['brightestTwelfthOfT1wInStir'], one['brightestOfT2wInStir'], one['medianOfBody'], one['gateScore'],
         'green' if one['gateScore'] < one['amber'] else 'amber' if one['gateScore'] < one['red'] else 'red']
        for name, one in real.items()
    ]
    return table(['pair', 'fat in STIR over T2w (asked for <= 0.10)', 'brightest of T1w (fat) in T2w', 'in STIR', 'brightest of T2w (fluid) in STIR', 'median of tissue in STIR', 'score of the gate', 'light'], rows)


def card(template, found, real, options):
    return template.format(
        version=options.version, parameters=f'{options.parameters:,}', training=options.training, bank=found['bank'][:16],
        quality=quality_table(found['quality']), gains=gains_table(found['quality']), fatFraction=fat_table(found['quality']), darkFat=dark_fat(found['quality']),
        lesions=lesions_table(found['lesions']), invented=invented_table(found['invented']), gate=gate_table(found), trust=found['gate'], blobs=blobs_table(found), exams=found['exams'], faults=faults_table(found['exams']),
        coverage=coverage_table(found['coverage']), coverageOn=found['coverageOn'], within=within_by_chance(found['coverage']), limits=limits_table(found['limits']), real=real_table(real), features=len(gate.FEATURES),
    )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--folder', type=pathlib.Path, required=True)
    parser.add_argument('--version', required=True)
    parser.add_argument('--parameters', type=int, required=True)
    parser.add_argument('--training', required=True, help='one sentence: how long, how many steps')
    arguments = parser.parse_args()
    measured = json.loads((arguments.folder / 'evaluation.json').read_text())
    text = json.dumps(manifest(arguments.folder / 'model.onnx', measured, arguments.version), indent=2, ensure_ascii=False)
    (arguments.folder / 'manifest.json').write_text(text + '\n')
    template = (pathlib.Path(__file__).parent / 'card.in.md').read_text()
    seen = json.loads((arguments.folder / 'real.json').read_text())
    (arguments.folder / 'card.md').write_text(card(template, measured, seen, arguments))
