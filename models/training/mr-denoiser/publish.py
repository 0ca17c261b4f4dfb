"""manifest.json, and the tables of card.md, from what evaluate.py measured.

    python3 publish.py --folder ../../mr-denoiser --version 1.0.0
"""
import argparse
import hashlib
import json
import pathlib

REAL = ('real sagittal lumbar T2w slices of SPIDER, patients never seen, scaled down until their own SNR was at least twice that; '
        'white noise added')
SIMULATED = 'conus simulate, seeds never seen, T1w, T2w and STIR at 1.5 and 3 T; truth without noise'


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
            add(f'nRMSE lower by, R={acceleration}, SNR 12 of the full scan', row['reductionPercent']['mean'], f'{on}; SENSE with 12 simulated coils', '%')
    must_not = evaluation['mustNot']
    for name, row in must_not['edgeWidthPx'].items():
        add(f'10 to 90 % width of an edge of {row["before"]} pixels, {name}', row['after'], 'slanted edge, white noise', 'px')
    for name, value in must_not['insertContrast'].items():
        add(f'contrast kept, disc of {name}', value, 'discs on a background of SNR 20')
    return found


def manifest(model, evaluation, version):
    image = {'shape': ['n', 2, 'rows', 'columns'], 'unit': 'any, the same as noise'}
    return {
        'id': 'mr-denoiser', 'version': version, 'title': 'MR denoiser for the spine', 'licence': 'Apache-2.0',
        'sha256': hashlib.sha256(model.read_bytes()).hexdigest(), 'task': 'denoise-mr',
        'inputs': {
            'image': {**image, 'meaning': 'combined complex image: real part, imaginary part (0 where only the magnitude is there)'},
            'noise': {'shape': ['n', 1, 'rows', 'columns'], 'unit': 'the same as image',
                      'meaning': 'standard deviation of the real part of each pixel, with every factor in it (g-factor, filters, averages)'},
        },
        'outputs': {'denoised': {**image, 'meaning': 'the image with less noise: real part, imaginary part'}},
        'patch': {'multipleOf': 8},
        'validatedOn': {
            'contrasts': ['t1w', 't2w', 'stir', 't2star'], 'fieldStrengthsT': [1.5, 3],
            'anatomy': 'cervical, thoracic and lumbar spine of adults; averaged brains', 'orientations': ['sagittal', 'axial'],
            'matrix': [128, 448], 'pixelSpacingMm': [0.45, 1.6], 'sliceThicknessMm': [1, 5], 'snr': [3, 200], 'acceleration': [1, 4],
        },
        'intendedUse': 'Complex images of Cartesian MR scans of the spine with a known noise map, shown beside the conventional series. Research only. '
                       'Not for finding lesions fainter than the noise, not for images that another denoiser made, not for maps that are measured pixel by pixel.',
        'trainingData': [
            'SPIDER lumbar spine, T2w and T2 SPACE, 40 patients listed in split.json, scaled down (van der Graaf 2024, CC BY 4.0)',
            'digital spines of conus simulate, T1w, T2w, STIR and T2* at 1.5 and 3 T (own)',
            'averaged T1w brain SPM152, ICBM (ICBM licence: use, copy and change with notice)',
            'random shapes (own); noise, coils and unaliasing simulated (own)',
        ],
        'metrics': metrics(evaluation), 'timeoutMs': 10_000,
    }


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--folder', type=pathlib.Path, required=True)
    parser.add_argument('--version', required=True)
    options = parser.parse_args()
    measured = json.loads((options.folder / 'evaluation.json').read_text())
    text = json.dumps(manifest(options.folder / 'model.onnx', measured, options.version), indent=2, ensure_ascii=False)
    (options.folder / 'manifest.json').write_text(text + '\n')
