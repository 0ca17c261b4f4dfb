"""Do T1w and T2w belong together? The evidence of synth/trust.ts, in Python: its head has the formulas.

Each image predicted from the other by the same network (the other left out, pixels averaged over 2 x 2), and both by the maps of
both, against what was measured; and what the network doubts by itself. `features` gives the numbers of FEATURES, each 0 for a perfect
pair; the score of a pair is the larger of two sums of a bias and weights times ln(1 + feature), both from calibrate.py: of the
doubt alone, and of all the rest.
"""

import numpy as np
from scipy import ndimage

import data

FEATURES = (
    'peakT1w', 'peakT2w', 'shareT1w', 'shareT2w', 'rmsT1w', 'rmsT2w', 'peakFit', 'rmsFit', 'lnGain', 'misregistrationPixels',
    'unlikeT1w', 'unlikeT2w', 'offsetT1w', 'offsetT2w', 'opposed', 'opposedFit', 'ring', 'ringFit', 'doubt',
)
FLOOR_OF_MEAN = 0.04
FLOOR_OF_PREDICTION = 0.06
TISSUE_FROM = 0.15
LEAST_OF_RATIO = 0.1
WINDOW = 5
TISSUE_PART = 0.6
FAR_Z = 3
CUT_Z = 6
FINE = 7
BROAD = 25
FARTHEST = 3
RADII = (2.3, 3.3, 4.6, 6.0)
DIRECTIONS = 12
HALF_EDGE = 1.2
LEAST_STEP_SPREAD = 0.6
MARGIN = 8
RING_PART = 0.8


def left_out(images, exam, channel):
    """Both inputs with T1w (0) or T2w (1) left out, averaged over 2 x 2 pixels; whatever else the exam has is left out too."""
    images = np.stack([data.halved(image) for image in images])
    images[channel] = 0
    images[2:] = 0
    exam = exam.copy()
    exam[7:14] = 0
    exam[14] += np.log(2)
    exam[16 + channel] = 0
    return np.ascontiguousarray(images), exam


def noise_of(image, tissue):
    """From the diagonal differences of 2 x 2 blocks in the quietest tenth of the tissue (imaging/noiseCheck.ts)."""
    part = lambda i, j: image[i::2, j::2][: image.shape[0] // 2, : image.shape[1] // 2]
    mean = (part(0, 0) + part(0, 1) + part(1, 0) + part(1, 1)) / 4
    detail = np.abs(part(0, 0) - part(0, 1) - part(1, 0) + part(1, 1)) / 2
    whole = ndimage.minimum_filter(tissue.astype(np.uint8), 2, origin=-1)[::2, ::2][: mean.shape[0], : mean.shape[1]] > 0
    whole[0] = whole[-1] = whole[:, 0] = whole[:, -1] = False
    if whole.sum() < 64:
        return 0.0
    activity = (np.roll(mean, -1, 0) - np.roll(mean, 1, 0)) ** 2 + (np.roll(mean, -1, 1) - np.roll(mean, 1, 1)) ** 2
    quiet = whole & (activity <= np.quantile(activity[whole], max(0.1, 64 / whole.sum())))
    return float(np.median(detail[quiet]) / 0.6744897501960817)


def gain_of(measured, predicted, tissue):
    mean = np.abs(predicted[tissue]).mean() if tissue.any() else 1.0
    told = tissue & (measured > LEAST_OF_RATIO) & (predicted > LEAST_OF_RATIO * mean)
    return float(np.exp(np.median(np.log(measured[told] / predicted[told])))) if told.any() else 1.0


def window_means(values, tissue):
    count = ndimage.uniform_filter(tissue.astype(np.float32), WINDOW, mode='constant')
    sums = ndimage.uniform_filter(np.where(tissue, values, 0).astype(np.float32), WINDOW, mode='constant')
    return np.where(tissue & (count >= TISSUE_PART - 1e-4), sums / np.maximum(count, 1e-3), 0)


def local_gain(measured, predicted, tissue):
    """What shading left: smooth factor of measured over predicted, about their gain."""
    told = tissue & (measured > 0) & (predicted > 0)
    logs = np.where(told, np.clip(np.log(np.maximum(measured, 1e-6) / np.maximum(predicted, 1e-6)), -1, 1), 0).astype(np.float32)
    mean = lambda values: ndimage.uniform_filter(values.astype(np.float32), BROAD, mode='constant')
    return np.exp(mean(logs) / np.maximum(mean(told), 1e-3))


def compare(measured, predicted, deviation, noise, tissue):
    """(gain, averaged z, peak, share in per cent, rms, largest ring)."""
    gain = gain_of(measured, predicted, tissue)
    expected = gain * predicted
    local = local_gain(measured, expected, tissue)
    expected, deviation = expected * local, deviation * local
    variance = (gain * deviation) ** 2 + noise**2 + FLOOR_OF_MEAN**2 + (FLOOR_OF_PREDICTION * expected) ** 2
    z = np.where(tissue, (measured - expected) / np.sqrt(variance), 0)
    averaged = window_means(z, tissue)
    inside = z[tissue]
    return gain, averaged, float(np.abs(averaged).max()), 100 * float((np.abs(inside) > FAR_Z).mean()), float(np.sqrt(np.minimum(CUT_Z**2, inside**2).mean())), largest_ring(z, tissue)


def ring_offsets(distance):
    turns = 2 * np.pi * (np.arange(DIRECTIONS) + 0.25) / DIRECTIONS
    whole = lambda values: np.floor(values + 0.5).astype(int)
    return list(zip(whole(distance * np.sin(turns)), whole(distance * np.cos(turns))))


def largest_ring(z, tissue):
    """How sharply and how evenly z steps across the rim of the one circle, of every second row and column, that stands out most."""
    largest = 0.0
    count = ndimage.uniform_filter(tissue.astype(np.float32), WINDOW, mode='constant')
    centres = lambda image, dy=0, dx=0: image[MARGIN + dy : image.shape[0] - MARGIN + dy : 2, MARGIN + dx : image.shape[1] - MARGIN + dx : 2]
    inside = centres(tissue & (count >= RING_PART - 1e-4))
    for radius in RADII:
        both = zip(ring_offsets(radius - HALF_EDGE), ring_offsets(radius + HALF_EDGE))
        steps = np.stack([centres(z, *within) - centres(z, *beyond) for within, beyond in both])
        ring = np.abs(steps.mean(0)) / (steps.std(0) + LEAST_STEP_SPREAD)
        largest = max(largest, float(np.where(inside, ring, 0).max(initial=0)))
    return largest


def opposed(first, second):
    """The largest geometric mean of two averaged z that disagree in sign: what only one image has is too much there and too little in the other."""
    return float(np.sqrt(np.maximum(0, -first * second)).max())


def structure(image, tissue):
    """What of ln(image) the mean over FINE x FINE pixels of tissue does not have."""
    logs = np.where(tissue, np.log(np.maximum(image, 0.02 * image[tissue].mean())), 0).astype(np.float32)
    share = np.maximum(ndimage.uniform_filter(tissue.astype(np.float32), FINE, mode='constant'), 1e-3)
    return np.where(tissue, logs - ndimage.uniform_filter(logs, FINE, mode='constant') / share, 0)


def alike(measured, predicted):
    """(1 - correlation of the two structures, how much larger it is at the best of the whole-pixel shifts)."""
    m = FARTHEST
    still = measured[m:-m, m:-m]
    size = np.sqrt((still**2).sum()) + 1e-6
    rows, columns = still.shape

    def correlation(dy, dx):
        moved = predicted[m + dy : m + dy + rows, m + dx : m + dx + columns]
        return float((still * moved).sum() / (size * (np.sqrt((moved**2).sum()) + 1e-6)))

    unmoved = correlation(0, 0)
    best = max(correlation(dy, dx) for dy in range(-m, m + 1) for dx in range(-m, m + 1))
    return 1 - unmoved, best - unmoved


def features(network, images, exam, contrasts, maps, misregistration_pixels=0.0):
    """(numbers of FEATURES, averaged z of the direction that is larger) of one slice; `maps`: of both images together."""
    measured = dict(zip(('t1w', 't2w'), (data.halved(image) for image in images[:2])))
    tissue = np.maximum(measured['t1w'], measured['t2w']) > TISSUE_FROM
    noise = {name: noise_of(image, tissue) for name, image in measured.items()}
    found, averaged, rings, alone = {}, [], [], {}
    for channel, (name, title) in enumerate((('t1w', 'T1w'), ('t2w', 'T2w'))):
        alone[name] = network.alone(*left_out(images, exam, channel))
        predicted, deviation = alone[name].signal(contrasts[name])
        gain, z, peak, share, rms, ring = compare(measured[name], predicted, deviation, noise[name], tissue)
        averaged.append(z)
        rings.append(ring)
        found[f'peak{title}'], found[f'share{title}'], found[f'rms{title}'] = peak, share, rms
        found[f'unlike{title}'], found[f'offset{title}'] = alike(structure(measured[name], tissue), structure(predicted, tissue))
        if name == 't2w':
            own = gain_of(measured['t1w'], alone[name].signal(contrasts['t1w'])[0], tissue)
            found['lnGain'] = abs(float(exam[8] + np.log(gain / own))) if exam[7] > 0 else 0.0
    fits = [compare(image, *(data.halved(part) for part in maps.signal(contrasts[name])), noise[name], tissue) for name, image in measured.items()]
    found['peakFit'], found['rmsFit'] = (max(fit[k] for fit in fits) for k in (2, 4))
    found['doubt'] = float(np.logaddexp(0, maps.doubts()[0]))
    found['misregistrationPixels'] = misregistration_pixels
    found['ring'], found['ringFit'] = max(rings), max(fit[5] for fit in fits)
    found['opposed'], found['opposedFit'] = opposed(*averaged), opposed(*(fit[1] for fit in fits))
    z = np.where(np.abs(averaged[0]) > np.abs(averaged[1]), averaged[0], averaged[1])
    return np.array([found[name] for name in FEATURES]), z
