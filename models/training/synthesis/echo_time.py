"""How far the stated echo time of T2w is from what a whole series shows: synth/echoTime.ts in Python; its head has the formulas.

`told_of_slice` gives what one slice tells of each class of tissue, `error_of` the estimate from all slices of a series; `fit` is what
calibrate.py writes as `echoTime`.
"""

import copy

import numpy as np

import data
import gate
from synthesiser import contrasts_of

N_CLASSES = 32
# Of ln PD, ln T1, ln T2 and fat fraction: as far apart as this counts as equally far.
SCALE = np.array([0.15, 0.3, 0.25, 0.15])
T1W_FROM, T2W_FROM, PREDICTED_FROM = 0.05, 0.08, 0.01
LEAST_PIXELS, LEAST_SLICES, LEAST_CLASSES = 50, 3, 6
LATER_MS = 1.0
LEAST_MISFIT = 0.1
# Of covariances: what estimates from few persons are shrunk to their diagonals by, and what no bin is surer than.
SHRINK_SLICES, SHRINK_SERIES, SURE = 0.1, 0.2, 0.02
FARTHEST = 0.6
FOLDS = 5
SEED = 37


def pixels_of_slice(network, made):
    """What `pixels_of` gives, of one slice as data.make made it."""
    contrasts, later = contrasts_of(made), copy.deepcopy(made['sequences'])
    later['t2w']['teMs'] += LATER_MS
    t1w, t2w = (data.halved(image) for image in made['images'][:2])
    maps = network.maps(*gate.left_out(made['images'], made['exam'], 1))
    after = contrasts_of(dict(made, sequences=later))['t2w']
    expected = [contrast.signal(maps.maps)[0].numpy() for contrast in (contrasts['t1w'], contrasts['t2w'], after)]
    return pixels_of(t1w, t2w, *expected, np.stack([*maps.maps[0, :3].numpy(), maps.fat_fraction()]), np.maximum(t1w, t2w) > gate.TISSUE_FROM)


def pixels_of(t1w, t2w, expected1, expected2, expected_later, maps, tissue):
    """(tissue properties over SCALE [n, 4], ln T2w over expected, ln T1w over expected, -d ln T2w / d TE), [n] each, of what tells;
    `maps`: ln PD, ln T1, ln T2, fat fraction. None where too little tells."""
    told = tissue & (t1w > T1W_FROM) & (t2w > T2W_FROM) & (expected1 > PREDICTED_FROM) & (expected2 > PREDICTED_FROM)
    if told.sum() < LEAST_PIXELS:
        return None
    of_t2w, of_t1w = (np.log(image[told] / expected[told]) for image, expected in ((t2w, expected2), (t1w, expected1)))
    slope = np.log(expected2[told] / expected_later[told]) / LATER_MS
    return np.stack([image[told] for image in maps], 1) / SCALE, of_t2w - middle(of_t2w), of_t1w - middle(of_t1w), slope


def middle(values):
    return np.partition(values, len(values) // 2)[len(values) // 2]


def classes_of(properties, centres):
    return (properties @ centres.T - (centres**2).sum(1) / 2).argmax(1)


def told_of_slice(pixels, centres):
    """[3, classes]: medians of ln T2w and ln T1w over what was expected, and of the slope; NaN where a class is too small."""
    told = np.full((3, len(centres)), np.nan)
    if pixels is not None:
        properties, *each = pixels
        classes = classes_of(properties, centres)
        for k in np.flatnonzero(np.bincount(classes, minlength=len(centres)) >= LEAST_PIXELS):
            told[:, k] = [middle(values[classes == k]) for values in each]
    return told


def told_of_series(slices):
    """Means over the slices [slices, 3, classes] that tell of a class, where there are enough."""
    slices = np.array(slices)
    n = np.isfinite(slices[:, 0]).sum(0)
    return np.where(n >= LEAST_SLICES, np.nansum(slices, 0) / np.maximum(n, 1), np.nan)


def estimate(told, means, covariance):
    """(ms, its standard deviation as the covariance has it, mean square of what is left) by generalised least squares; None where too few classes tell."""
    k = np.flatnonzero(np.isfinite(told[0]))
    if len(k) < LEAST_CLASSES:
        return None
    both = np.concatenate([k, len(means) // 2 + k])
    values = np.concatenate([told[0, k], told[1, k]]) - means[both]
    one, none = np.ones(len(k)), np.zeros(len(k))
    design = np.column_stack([np.concatenate([one, none]), np.concatenate([-told[2, k], none]), np.concatenate([none, one])])
    weighted = np.linalg.solve(covariance[np.ix_(both, both)], np.column_stack([design, values]))
    inverse = np.linalg.inv(design.T @ weighted[:, :3])
    found = inverse @ (design.T @ weighted[:, 3])
    left = values - design @ found
    misfit = left @ (weighted[:, 3] - weighted[:, :3] @ found) / (len(values) - 3)
    return found[1], np.sqrt(inverse[1, 1]), misfit


def error_of(slices, model):
    """(ms by which the echo time is longer than stated, standard deviation) of a series; None where it tells nothing."""
    covariance = np.zeros((2 * len(model['centres']),) * 2)
    for row, values in enumerate(model['covariance']):
        covariance[row, : row + 1] = covariance[: row + 1, row] = values
    found = estimate(told_of_series(slices), np.array(model['means']), covariance)
    return found and (found[0] - model['offsetMs'], model['deviation'] * deviation_of(found))


def deviation_of(found):
    """Persons whose tissues are far from the average in other ways are so in this one."""
    return found[1] * np.sqrt(LEAST_MISFIT + found[2])


def centres_of(properties):
    """Classes of tissue: k-means, Lloyd 1982, doi 10.1109/TIT.1982.1056489."""
    rng = np.random.default_rng(SEED)
    centres = properties[rng.choice(len(properties), N_CLASSES, replace=False)]
    for _ in range(25):
        classes = classes_of(properties, centres)
        centres = np.array([properties[classes == k].mean(0) if (classes == k).any() else centres[k] for k in range(N_CLASSES)])
    return centres


def covariance_of(values, means, shrink):
    off = np.clip(np.nan_to_num(values - means), -FARTHEST, FARTHEST)
    told = np.isfinite(values).astype(float)
    covariance = off.T @ off / np.maximum(told.T @ told, 1)
    covariance = (1 - shrink) * covariance + shrink * np.diag(np.diag(covariance))
    sizes, directions = np.linalg.eigh(covariance)
    return directions * np.maximum(sizes, 1e-3) @ directions.T


def fit(of_slices, of_series):
    """of_slices: what slices tell, of a person each; of_series: series of slices, whose persons give the means and the limits."""
    flat = lambda told: np.nan_to_num(told[:2], nan=np.nan).reshape(-1)
    single = np.array([flat(told) for told in of_slices])
    told = [told_of_series(slices) for slices in of_series]
    series = np.array([flat(one) for one in told])

    def model(kept):
        means = np.nan_to_num(np.nanmedian(series[kept], 0))
        covariance = (covariance_of(single, np.nanmedian(single, 0), SHRINK_SLICES) + covariance_of(series[kept], means, SHRINK_SERIES)) / 2
        covariance += SURE**2 * np.eye(len(means))
        return means, covariance, np.median([estimate(told[k], means, covariance)[0] for k in kept])

    # As persons whom the fit did not see are judged.
    persons, outside = np.arange(len(told)), []
    for fold in range(FOLDS):
        means, covariance, offset = model(persons[persons % FOLDS != fold])
        for k in persons[persons % FOLDS == fold]:
            found = estimate(told[k], means, covariance)
            outside.append((found[0] - offset) / deviation_of(found))
    deviation = float(np.sqrt(np.mean(np.square(outside))))
    means, covariance, offset = model(persons)
    rounded = lambda values: [round(float(value), 5) for value in values]
    return dict(
        means=rounded(means), covariance=[rounded(row[: k + 1]) for k, row in enumerate(covariance)], offsetMs=round(float(offset), 2),
        deviation=round(deviation, 3), amber=round(float(np.percentile(np.abs(outside), 98)) / deviation, 2),
    )
