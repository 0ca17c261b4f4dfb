"""MODEL.onnx and what evaluate.py measured -> model.onnx and manifest.json in a folder: publish.py MODEL.onnx EVALUATION.json VERSION FOLDER"""
import hashlib
import json
import shutil
import sys
from pathlib import Path

REAL = 'real torso CT of TotalSegmentator (3 mm, never seen), 6 slices with projections, quanta and noise of 28 % of 200 mAs; truth without the added noise'
SIMULATED = 'conus simulate, fan beam, seeds 401-404 (never seen), 28 % of 200 mAs; truth without noise'
DISCS = 'discs in 300 mm of water, 28 % of 200 mAs, mean over 54 discs'


def metrics(evaluation):
    found = []
    add = lambda name, value, on, unit=None: found.append({'name': name, 'value': round(value, 4), **({'unit': unit} if unit else {}), 'measuredOn': on})
    for row in evaluation['summary']:
        if row['dose'] != 0.28:
            continue
        on = f"{REAL if row['set'] == 'real' else SIMULATED}; kernel {row['kernel']}"
        add('noise in flat regions, after over before', row['flatNoiseRatio'], on)
        add('nRMSE before', row['nrmseNoisy'], on)
        add('nRMSE after', row['nrmseDenoised'], on)
        add('nRMSE of non-local means tuned with the truth', row['nrmseNlm'], on)
        add('change of the mean in flat regions', row['biasHu'], on, 'HU')
        add('largest such change of an image', row['largestBiasHu'], on, 'HU')
        add('largest error of the mean in flat regions before', row['largestMeanErrorNoisyHu'], on, 'HU')
        add('largest error of the mean in flat regions after', row['largestMeanErrorHu'], on, 'HU')
    for disc in evaluation['resolution']:
        on = f"{DISCS}; kernel {disc['kernel']}, noise of {disc['noiseHu']:.0f} HU"
        for edge in disc['edges']:
            add(f"MTF50 after over before, edges of {edge['contrastHu']} HU", edge['mtf50Ratio'], on)
        add('mean frequency of the noise power before', disc['noisePower']['meanFrequencyBefore'], on, '/mm')
        add('mean frequency of the noise power after', disc['noisePower']['meanFrequencyAfter'], on, '/mm')
        for small in disc['small']:
            add(f"contrast kept, discs of {small['contrastHu']} HU and {2 * small['radiusPx']} pixels", small['contrastKept'], on)
    add('processor time of 512 x 512 on one thread', evaluation['latency']['oneThreadCpuMs'], 'ONNX Runtime on a server core with AVX-512', 'ms')
    return found


def manifest(model, evaluation, version):
    image = {'shape': ['n', 1, 'rows', 'columns'], 'unit': 'HU'}
    return {
        'id': 'ct-denoiser', 'version': version, 'title': 'CT denoiser for the spine', 'licence': 'Apache-2.0',
        'sha256': hashlib.sha256(Path(model).read_bytes()).hexdigest(), 'task': 'denoise-ct',
        'inputs': {'image': {**image, 'meaning': 'CT image'}, 'noise': {**image, 'meaning': 'standard deviation of the noise of each pixel'}},
        'outputs': {'denoised': {**image, 'meaning': 'image with less noise; the mean over 21 x 21 pixels stays nearly as it is, edges that stand out of the noise stay as they are'}},
        'patch': {'multipleOf': 16},
        'validatedOn': {'contrasts': ['ct'], 'anatomy': 'abdomen, lumbar spine and pelvis of adults', 'orientations': ['axial'], 'matrix': [512, 512],
                        'pixelSpacingMm': [0.48, 0.72], 'sliceThicknessMm': [3, 3]},
        'intendedUse': 'Axial CT images of the trunk in Hounsfield units, of filtered backprojection, at 10 to 100 % of a usual dose, shown beside the '
                       'image as it was. Research only. Not for images of iterative or learned reconstruction, not for finding lesions fainter than the noise.',
        'trainingData': ['12 digital spines of conus simulate (own)', 'TPTBox CT sample, one L3 at 1.5 mm, smoothed (Apache-2.0)', 'dead leaves: random shapes and textures (own)',
                         'noise: simulated projections of random ellipses, filtered backprojection (own)'],
        'metrics': metrics(evaluation), 'timeoutMs': 10_000,
    }


if __name__ == '__main__':
    model, evaluation, version, folder = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, Path(folder) / 'model.onnx')
    text = json.dumps(manifest(model, json.loads(Path(evaluation).read_text()), version), indent=2, ensure_ascii=False)
    (Path(folder) / 'manifest.json').write_text(text + '\n')
