"""manifest.json, and card.md from card.in.md, with what evaluate.py measured.

python3 publish.py --folder ../../mr-denoiser --version 1.0.0 --parameters 880256
"""

import argparse
import hashlib
import json
import pathlib

REAL = (
    'real sagittal lumbar T2w slices of SPIDER, patients never seen, scaled down until their own SNR was at least twice that; '
    'white noise added'
)
SIMULATED = 'conus simulate, seeds never seen, T1w, T2w, STIR and PDw at 1.5 and 3 T; truth without noise'


def metrics(evaluation):
    found = []

    def add(name, value, on, unit=None):
        found.append({'name': name, 'value': value, **({'unit': unit} if unit else {}), 'measuredOn': on})

    for kind, on in (('real', REAL), ('simulated', SIMULATED)):
        for snr in (5, 10, 20, 40):
            row = evaluation['gains'].get(f'{kind} {snr}')
            if row:
                add(f'PSNR gain at SNR {snr}, mean', row['complex']['mean'], on, 'dB')
                add(f'PSNR gain at SNR {snr}, worst image', row['complex']['worst'], on, 'dB')
    for acceleration in (2, 3):
        for kind, on in (('real', REAL), ('simulated', SIMULATED)):
            row = evaluation['unaliased'][f'R={acceleration} {kind}']
            add(
                f'nRMSE lower by, R={acceleration}, SNR 12 of the full scan',
                row['reductionPercent']['mean'],
                f'{on}; SENSE with 12 simulated coils',
                '%',
            )
    must_not = evaluation['mustNot']
    for name, row in must_not['edgeWidthPx'].items():
        add(
            f'10 to 90 % width of an edge of {row["before"]} pixels, {name}',
            row['after'],
            'slanted edge, white noise',
            'px',
        )
    for name, value in must_not['insertContrast'].items():
        add(f'contrast kept, disc of {name}', value, 'discs on a background of SNR 20')
    return found


def manifest(model, evaluation, version):
    image = {'shape': ['n', 2, 'rows', 'columns'], 'unit': 'any, the same as noise'}
    return {
        'id': 'mr-denoiser',
        'version': version,
        'title': 'MR denoiser for the spine',
        'licence': 'Apache-2.0',
        'sha256': hashlib.sha256(model.read_bytes()).hexdigest(),
        'task': 'denoise-mr',
        'inputs': {
            'image': {
                **image,
                'meaning': 'combined complex image: real part, imaginary part (0 where only the magnitude is there)',
            },
            'noise': {
                'shape': ['n', 1, 'rows', 'columns'],
                'unit': 'the same as image',
                'meaning': 'standard deviation of the real part of each pixel, with every factor in it (g-factor, filters, averages)',
            },
        },
        'outputs': {'denoised': {**image, 'meaning': 'the image with less noise: real part, imaginary part'}},
        'patch': {'multipleOf': 8},
        'validatedOn': {
            'contrasts': ['t1w', 't2w', 'pdw', 'stir'],
            'fieldStrengthsT': [1.5, 3],
            'anatomy': 'cervical, thoracic and lumbar spine of adults; averaged brains',
            'orientations': ['sagittal', 'axial'],
            'matrix': [128, 448],
            'pixelSpacingMm': [0.45, 1.6],
            'sliceThicknessMm': [1, 5],
            'snr': [3, 200],
            'acceleration': [1, 4],
        },
        'intendedUse': 'Complex images of Cartesian MR scans of the spine with a known noise map, shown beside the conventional series. Research only. '
        'Not for finding lesions fainter than the noise, not for images that another denoiser made, not for maps that are measured pixel by pixel.',
        'trainingData': [
            'SPIDER lumbar spine, T2w and T2 SPACE, 40 patients listed in split.json, scaled down (van der Graaf 2024, CC BY 4.0)',
            'digital spines of conus simulate, T1w, T2w, STIR and T2* at 1.5 and 3 T (own)',
            'averaged T1w brain SPM152, ICBM (ICBM licence: use, copy and change with notice)',
            'random shapes (own); noise, coils and unaliasing simulated (own)',
        ],
        'metrics': metrics(evaluation),
        'timeoutMs': 10_000,
    }


def table(head, rows):
    return '\n'.join(
        ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
        + ['| ' + ' | '.join(map(str, row)) + ' |' for row in rows]
    )


def gains_table(gains):
    kinds = ('real', 'simulated', 'brain')

    def cell(kind, snr, error):
        row = gains.get(f'{kind} {snr}')
        return f'{row[error]["mean"]:.2f} ({row[error]["worst"]:.2f}), n={row[error]["n"]}' if row else 'none'

    return table(
        ['SNR', *(f'{kind}, {error}' for error in ('complex', 'magnitude') for kind in kinds)],
        [
            [snr, *(cell(kind, snr, error) for error in ('complex', 'magnitude') for kind in kinds)]
            for snr in (3, 5, 10, 20, 40, 100)
        ],
    )


def classical_table(classical):
    names = ('network', 'tv', 'nlm', 'wavelet', 'bm3d')
    return table(
        ['data, SNR', *names, 'margin, mean (worst)'],
        [
            [
                case,
                *(row['gains'].get(name, '') for name in names),
                f'{row["margin"]["mean"]:.2f} ({row["margin"]["worst"]:.2f})',
            ]
            for case, row in classical.items()
        ],
    )


def unaliased_table(unaliased):
    return table(
        ['scan', 'median g', 'SENSE', 'denoised', 'lower by % (least)', 'BART L1-wavelet', 'denoised, same images'],
        [
            [
                case,
                row['g'],
                row['plain'],
                row['denoised'],
                f'{row["reductionPercent"]["mean"]:.1f} ({row["reductionPercent"]["worst"]:.1f})',
                row['wavelet'] or '',
                row['denoisedSame'] or '',
            ]
            for case, row in unaliased.items()
        ],
    )


def must_not_rows(must_not, trust):
    """(what, measured, asked for, holds) for everything that has a limit."""
    rows = []
    for snr, value in must_not['flatBiasPercent'].items():
        rows.append(
            (f'mean of flat regions changes, {snr}, at 40 to 100 % of the signal', f'{value} %', '< 0.5 %', value < 0.5)
        )
    for cnr, row in must_not['edgeWidthPx'].items():
        limit = 0.6 if cnr in ('CNR 6', 'CNR 8') else 0.3
        wider = round(row['after'] - row['before'], 2)
        rows.append(
            (f'edge of {row["before"]} px (10 to 90 %) widens, {cnr}', f'{wider} px', f'<= {limit} px', wider <= limit)
        )
    for case, value in must_not['insertContrast'].items():
        limit = {'2': 0.88, '3': 0.93, '5': 0.95}[case[-1]]
        rows.append(
            (
                f'disc of {case} px at SNR 20 keeps of its contrast',
                f'{100 * value:.1f} %',
                f'>= {100 * limit:.0f} %',
                value >= limit,
            )
        )
    for snr, limit in (('SNR 5', 0.04), ('SNR 20', 0.02)):
        value = trust[snr]['imageMeanMagnitude']
        rows.append(
            (
                f'correlation of the residual with the image, {snr}, mean of its magnitude',
                value,
                f'<= {limit}',
                value <= limit,
            )
        )
    change = must_not['noiseFreeChangePercent']
    rows.append(
        ('image without noise, map of SNR 60: mean change', f'{change["mean"]} %', '< 0.5 %', change['mean'] < 0.5)
    )
    rows.append(('the same, largest', f'{change["largest"]} %', '< 0.5 %', change['largest'] < 0.5))
    noise = must_not['pureNoise']
    rows.append(('pure noise of 1: standard deviation of the rest', noise['std'], '', True))
    rows.append(('pure noise of 1: largest pixel of the rest (about 5 before)', noise['largest'], '', True))
    rows.append(
        ('image and map scaled by 1e-6 and 1e6: relative difference', f'{must_not["scaleEquivariance"]:.1e}', '', True)
    )
    return rows


def trust_table(trust):
    keys = ('std', 'image', 'edges')
    names = ('standard deviation', 'correlation with the image', 'correlation of its power with edges')
    return table(
        ['SNR', *(f'{name}: median (5 to 95 %)' for name in names)],
        [
            [snr[4:], *(f'{row[key]["median"]} ({row[key]["p5"]} to {row[key]["p95"]})' for key in keys)]
            for snr, row in trust.items()
        ],
    )


def contrasts_table(contrasts):
    groups = {}
    for case, row in contrasts.items():
        group, snr = case.split(' SNR ')
        groups.setdefault(group, {})[int(snr)] = f'{row["ratio"]:.2f} ({row["largest"]:.2f})'
    levels = (5, 10, 20, 40, 100, 200)
    return table(
        ['data', *(f'SNR {snr}' for snr in levels)],
        [[group, *(row.get(snr, '') for snr in levels)] for group, row in groups.items()],
    )


def consistency_table(rows):
    names = list(next(iter(rows.values())))
    return table(
        ['scan', *(name.replace('consistent', 'w =') for name in names)],
        [
            [case, *(f'**{row[name]}**' if row[name] == min(row.values()) else row[name] for name in names)]
            for case, row in rows.items()
        ],
    )


def consistency_verdict(rows):
    """In which scans the best weight has an nRMSE that is lower than without by more than 1 %."""
    gains = {
        case: 100 * (1 - min(value for name, value in row.items() if name.startswith('consistent')) / row['denoised'])
        for case, row in rows.items()
    }
    better = [f'{case} ({gain:.1f} %)' for case, gain in gains.items() if gain > 1]
    return f'Lower than after denoising alone by more than 1 %, at the best weight: {", ".join(better) or "nowhere"}.'


def classical_rows(classical):
    """The same as must_not_rows for the margin over the best classical filter."""
    rows = []
    for case, row in classical.items():
        least = 0.3 if case.startswith('real') else 1
        margin = row['margin']
        rows.append(
            (
                f'over the best classical filter, {case}, mean',
                f'{margin["mean"]:.2f} dB',
                f'>= {least} dB',
                margin['mean'] >= least,
            )
        )
        if case.startswith('real'):
            worst = f'{margin["worst"]:.2f} dB'
            rows.append(
                (f'over the best classical filter, {case}, worst image', worst, '>= -0.1 dB', margin['worst'] >= -0.1)
            )
    return rows


def card(template, evaluation, version, parameters):
    limits = must_not_rows(evaluation['mustNot'], evaluation['trust'])
    misses = [
        f'- **Missed**: {what}: {measured}, asked for {asked}.'
        for what, measured, asked, holds in limits + classical_rows(evaluation['classical'])
        if not holds
    ]
    return template.format(
        version=version,
        parameters=f'{parameters:,}',
        gains=gains_table(evaluation['gains']),
        classical=classical_table(evaluation['classical']),
        unaliased=unaliased_table(evaluation['unaliased']),
        mustNot=table(
            ['what', 'measured', 'asked for', ''], [(*row[:3], '' if row[3] else '**missed**') for row in limits]
        ),
        trust=trust_table(evaluation['trust']),
        contrasts=contrasts_table(evaluation['contrasts']),
        dataConsistency=consistency_table(evaluation['dataConsistency']),
        dataConsistencyVerdict=consistency_verdict(evaluation['dataConsistency']),
        misses='\n'.join(misses),
    )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--folder', type=pathlib.Path, required=True)
    parser.add_argument('--version', required=True)
    parser.add_argument('--parameters', type=int, required=True)
    options = parser.parse_args()
    measured = json.loads((options.folder / 'evaluation.json').read_text())
    text = json.dumps(manifest(options.folder / 'model.onnx', measured, options.version), indent=2, ensure_ascii=False)
    (options.folder / 'manifest.json').write_text(text + '\n')
    template = (pathlib.Path(__file__).parent / 'card.in.md').read_text()
    (options.folder / 'card.md').write_text(card(template, measured, options.version, options.parameters))
