"""Painted cases (paint.ts) as a scanner would deliver them: shading and its removal, noise, blur, misregistration, gain.

A case is a slice; `Cases` reads a folder of them, `make` turns one into what the network is fed and is judged by. The same
functions make the training batches and the frozen bank: only seeds and patients differ.

Shading is removed as synth/shading.ts removes it: one polynomial of degree 4 for both images, in ln(sqrt(T1w T2w)).
"""

import json
import pathlib

import numpy as np
from scipy import ndimage

MATRIX = 288
FIELD_DEGREE = 4
EXAM = 18


class Cases:
    """All slices of the patients in a folder whose seeds `keep` takes: memory-mapped integers, floats on request."""

    def __init__(self, folder, keep=lambda seed: True):
        self.slices = []
        for about in sorted(pathlib.Path(folder).glob('*.json'), key=lambda path: int(path.stem)):
            patient = json.loads(about.read_text())
            if not keep(patient['seed']):
                continue
            n = patient['matrix']
            names = list(patient['channels'])
            stored = np.memmap(about.with_suffix('.bin'), np.int16, 'r').reshape(-1, len(names), n, n)
            for index, sample in enumerate(patient['samples']):
                self.slices.append((patient, sample, stored[index]))
        self.names = names if self.slices else []

    def __len__(self):
        return len(self.slices)

    def image(self, index, name):
        patient, _, stored = self.slices[index]
        return stored[self.names.index(name)].astype(np.float32) / np.float32(patient['channels'][name])


def polynomial(u, v, degree=FIELD_DEGREE):
    """All u^i v^j with i + j <= degree: [terms, ...]."""
    return np.stack([u**i * v**j for i in range(degree + 1) for j in range(degree + 1 - i)])


def grid(n):
    line = 2 * np.arange(n, dtype=np.float32) / (n - 1) - 1
    return np.meshgrid(line, line)


U, V = grid(MATRIX)
STEP = 4
POLYNOMIAL = polynomial(U, V)
COARSE = POLYNOMIAL[:, ::STEP, ::STEP].reshape(15, -1)


def foreground(first, second):
    """Where both images show tissue."""
    high = [np.percentile(image[image > 0], 90) if (image > 0).any() else 1.0 for image in (first, second)]
    return (first > 0.1 * high[0]) & (second > 0.1 * high[1]), high


def fit_field(first, second, basis=COARSE):
    """Coefficients of ln(field) (15 terms, mean over the foreground zero) of two images, flat; `basis` [15, pixels] is that of the coarse grid."""
    inside, high = foreground(first, second)
    if inside.sum() < 60:
        return np.zeros(15), inside
    basis = basis[:, inside].astype(np.float64)
    value = 0.5 * np.log(first[inside] / high[0]) + 0.5 * np.log(second[inside] / high[1])
    weight = np.ones(value.shape)
    for _ in range(5):
        normal = (basis * weight) @ basis.T
        normal[np.diag_indices(15)] += 1e-3 * np.trace(normal) / 15
        coefficients = np.linalg.solve(normal, (basis * weight) @ value)
        residual = value - coefficients @ basis
        scale = 3 * 1.4826 * np.median(np.abs(residual)) + 1e-6
        weight = np.where(np.abs(residual) < scale, (1 - (residual / scale) ** 2) ** 2, 0)
    coefficients[0] -= (coefficients @ basis).mean()
    return coefficients, inside


def smooth_shading(rng, strength):
    """ln of a receive field: a fall-off from the array (behind, in sagittal slices) and a few smooth hills, [MATRIX, MATRIX]."""
    angle = rng.normal(0, 0.35) if rng.random() < 0.85 else rng.uniform(-np.pi, np.pi)
    along = U * np.cos(angle) + V * np.sin(angle)
    across = -U * np.sin(angle) + V * np.cos(angle)
    depth = rng.uniform(0.2, 1.3)
    field = depth * along + rng.normal(0, 0.2) * along**2 + rng.normal(0, 0.25) * across**2
    for _ in range(rng.integers(0, 4)):
        x, y, width = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.35, 0.9)
        field += rng.normal(0, 0.25) * np.exp(-((U - x) ** 2 + (V - y) ** 2) / (2 * width**2))
    return (strength * field).astype(np.float32)


def mild_shading(rng):
    """What a vendor's own normalisation leaves or adds, other in each image: ln, a few per cent."""
    coarse = rng.normal(0, 1, (4, 4))
    return ndimage.zoom(coarse, MATRIX / 4, order=3).astype(np.float32) * rng.uniform(0, 0.08)


def magnitude_noise(rng, image, std, correlation):
    """Magnitude of the image with complex noise of this standard deviation, correlated over `correlation` pixels."""
    real, imaginary = rng.normal(0, 1, (2, *image.shape)).astype(np.float32)
    if correlation > 0:
        real, imaginary = (ndimage.gaussian_filter(part, correlation) for part in (real, imaginary))
        size = real.std()
        real, imaginary = real / size, imaginary / size
    return np.hypot(image + std * real, std * imaginary)


def sequence_numbers(sequence):
    """As signals.py names them."""
    return dict(
        tr=sequence['trMs'], te=sequence['teMs'], etl=float(sequence['echoTrainLength']), esp=sequence['echoSpacingMs'],
        angle=np.deg2rad(sequence['refocusingAngleDeg']), ti=sequence.get('tiMs', 0.0),
    )


def exam_vector(sequences, field_strength_t, pixel_mm, *, scale=None, fat_fraction=False, fat_suppressed=None, fat_suppressed_scale=None,
                has_t1w=True, has_t2w=True):
    """The network's second input; `scale` and `fat_suppressed_scale` are logarithms of ratios or None where unknown."""
    first, second = sequences['t1w'], sequences['t2w']
    exam = np.zeros(EXAM, np.float32)
    exam[0] = np.log(first['trMs'] / 600)
    exam[1] = np.log(first['teMs'] / 10)
    exam[2] = np.log(first['echoTrainLength'] * first['echoSpacingMs'] / 30)
    exam[3] = np.log(second['trMs'] / 3500)
    exam[4] = np.log(second['teMs'] / 100)
    exam[5] = np.log(second['echoTrainLength'] * second['echoSpacingMs'] / 170)
    exam[6] = 0 if field_strength_t < 2 else 1
    if scale is not None:
        exam[7], exam[8] = 1, scale
    exam[9] = float(fat_fraction)
    if fat_suppressed is not None:
        exam[10], exam[11] = 1, np.log(fat_suppressed['teMs'] / 80)
        if fat_suppressed_scale is not None:
            exam[12], exam[13] = 1, fat_suppressed_scale
    exam[14] = np.log(pixel_mm / 0.85)
    exam[15] = (180 - first['refocusingAngleDeg']) / 50
    exam[16], exam[17] = float(has_t1w), float(has_t2w)
    return exam


def halved(image):
    """Averaged over 2 x 2 pixels."""
    return 0.25 * (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2])


class Options:
    """What of a case is laid down; None: drawn. `noise`: a generator of its own for the noise, so that slices of one series may share all else."""

    def __init__(self, known=None, third=None, left_out=None, coarse=None, lesions=None, snr=None, shift=None, jitter=0.12, noise=None):
        self.known, self.third, self.left_out, self.coarse = known, third, left_out, coarse
        self.lesions, self.snr, self.shift, self.jitter, self.noise = lesions, snr, shift, jitter, noise


CONTRASTS = ('t1w', 't2w', 'stir', 't2fs')
TRUTH = ('protonDensity', 't1Ms', 't2Ms', 'fatFraction', *CONTRASTS, 'weight', 'label', 'lesion')


def make(cases, index, rng, options=Options()):
    """One slice as the network sees it, a dict: `images` [4, n, n], `exam` [18], `truth` [TRUTH, n, n] (signals per equilibrium
    magnetisation, without shading and noise; STIR signed), `means` (divisors of the channels), `pixelMm`, `sequences`,
    `patient`. n is MATRIX, or half of it where coarse.
    """
    patient, sample, _ = cases.slices[index]
    sequences, pixel_mm = sample['sequences'], sample['pixelMm']
    images = {name: cases.image(index, name) for name in CONTRASTS}
    maps = {name: cases.image(index, name) for name in TRUTH[:4]}
    label, lesion = cases.image(index, 'label'), cases.image(index, 'lesion')
    known = options.known if options.known is not None else rng.random() < 0.5
    third = options.third if options.third is not None else rng.choice(['none', 'none', 'none', 'dixon', 'fatsat'])
    left_out = options.left_out if options.left_out is not None else 'none'
    measured = measure(rng, images, options, known, third == 'fatsat')

    coefficients, inside = fit_field(*(image[::STEP, ::STEP].ravel() for image in measured[:2]))
    field = np.clip(np.exp(np.tensordot(coefficients, POLYNOMIAL, 1)), 1 / 8, 8).astype(np.float32)
    measured = [image / field for image in measured]
    means = [float(image[::STEP, ::STEP].ravel()[inside].mean()) if inside.any() else float(image.mean()) for image in measured]
    # Elsewhere than in training the mean is over another field of view.
    means = [max(mean, 1e-3) * np.exp(rng.normal(0, options.jitter)) for mean in means]

    channels = np.zeros((4, MATRIX, MATRIX), np.float32)
    exam = dict(has_t1w=left_out != 't1w', has_t2w=left_out != 't2w')
    for channel, name in enumerate(('t1w', 't2w')):
        if left_out != name:
            channels[channel] = measured[channel] / means[channel]
    if known and left_out == 'none':
        exam['scale'] = np.log(means[1] / means[0]) + rng.normal(0, 0.02)
    if third == 'dixon':
        exam['fat_fraction'] = True
        blurred = ndimage.gaussian_filter(maps['fatFraction'], 0.6)
        channels[2] = np.clip(blurred + rng.normal(0, 0.03, label.shape), 0, 1) * (maps['protonDensity'] > 0.05)
    if third == 'fatsat':
        exam['fat_suppressed'] = sequences['t2fs']
        channels[3] = measured[2] / means[2]
        if known and left_out != 't2w':
            exam['fat_suppressed_scale'] = np.log(means[2] / means[1]) + rng.normal(0, 0.02)

    weight = np.where(maps['protonDensity'] < 0.05, 0.03, 1.0) * (1 + 2.0 * (lesion > 0))
    weight = weight * (1 + 1.0 * ((label >= 101) & (label < 132)))
    truth = np.stack([*maps.values(), *images.values(), weight, label, lesion]).astype(np.float32)
    if options.coarse:
        channels = np.stack([halved(channel) for channel in channels])
        truth = np.stack([halved(image) if k < 9 else image[::2, ::2] for k, image in enumerate(truth)])
        pixel_mm *= 2
    vector = exam_vector(sequences, patient['fieldStrengthT'], pixel_mm, **exam)
    return dict(images=channels, exam=vector, truth=truth, means=means, pixelMm=pixel_mm, sequences=sequences, patient=patient)


def measure(rng, images, options, known, fat_suppressed):
    """T1w, T2w (and the fat-suppressed image) as magnitudes with the shading of the array, noise, blur and, of T1w, a small shift."""
    shading = smooth_shading(rng, rng.uniform(0, 1.2))
    own = [np.zeros_like(shading) if known else mild_shading(rng) for _ in range(2)]
    body = images['t2w'] > 0.02
    snr = np.exp(rng.uniform(np.log(12), np.log(80), 2)) if options.snr is None else np.full(2, float(options.snr))
    correlations = np.where(rng.random(2) < 0.5, rng.uniform(0.4, 0.9, 2), 0)
    shift = rng.normal(0, 0.3, 2) if options.shift is None else options.shift
    wanted = [('t1w', own[0], 0), ('t2w', own[1], 1)] + ([('t2fs', own[1], 1)] if fat_suppressed else [])
    measured = []
    for name, extra, k in wanted:
        image = np.abs(images[name])
        noise = image[body].mean() / snr[k] if body.any() else 0.01
        if name == 't1w' and np.any(shift):
            image = ndimage.shift(image, shift, order=1, mode='nearest')
        image = ndimage.gaussian_filter(image, rng.uniform(0, 0.55, 2), truncate=3)
        measured.append(magnitude_noise(options.noise or rng, image * np.exp(shading + extra), noise, correlations[k]).astype(np.float32))
    return measured


def batch(cases, rng, size, options):
    """`size` slices drawn evenly, as stacked arrays: images, exam, truth; and the list of what `make` tells of each."""
    made = [make(cases, rng.integers(len(cases)), rng, options) for _ in range(size)]
    return tuple(np.stack([one[key] for one in made]) for key in ('images', 'exam', 'truth')), made
