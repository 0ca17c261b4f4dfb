"""What is asked of lesions: are they brighter than the marrow they lie in, by how much, and does a search find them and nothing else.

A lesion is what one kind of changed tissue takes of one vertebra (or of one disc or one soft tissue) in a slice. Its marrow is that of the same
vertebra, more than MARGIN_MM from any lesion and from the edge of the body; where less than LEAST_MARROW pixels are left of it, the
marrow of the other bodies in the slice. Nothing here knows how the image came about.
"""

import numpy as np
from scipy import ndimage

MARGIN_MM = 2.0
LEAST_MARROW = 20
LEAST_DIAMETER_MM = 4.0

# Codes of simulator/pathology/codes.ts and labels of simulator/spine/labels.ts by the sets of bank.py.
T12, L1, L2, L3, L4 = 119, 120, 121, 122, 123
TYPES = {
    'fracture oedema': ('marrow', 1, (T12,)),
    'lytic metastasis': ('marrow', 7, (L2,)),
    'Modic 1': ('marrow', 2, (L3, L4)),
    'Schmorl oedema': ('infected', 1, (T12, L1)),
    'oedema of discitis': ('infected', 1, (L2, L3)),
    'infected disc': ('infected', 10, None),
    'abscess': ('infected', 11, None),
    'Modic 2': ('fatty', 3, (L3, L4)),
    'haemangioma': ('fatty', 9, (L1,)),
}
KINDS_OF = {name: [kind for kind, (where, *_) in TYPES.items() if where == name] for name in ('marrow', 'infected', 'fatty')}
FATTY = ('Modic 2', 'haemangioma')
FLUID = ('infected disc', 'abscess')
MARROW = tuple(name for name in TYPES if name not in FATTY + FLUID)


def is_body(label):
    return (label >= 101) & (label < 132)


def inner(mask, margin_mm, pixel_mm):
    return ndimage.distance_transform_edt(mask) * pixel_mm > margin_mm if mask.any() else mask


class Lesion:
    def __init__(self, kind, mask, marrow, pixel_mm):
        self.kind, self.mask, self.marrow = kind, mask, marrow
        self.diameter_mm = 2 * np.sqrt(mask.sum() / np.pi) * pixel_mm

    def ratio(self, image):
        return float(image[self.mask].mean() / max(image[self.marrow].mean(), 1e-4))

    def contrast_to_noise(self, image):
        """Difference over the standard deviation in marrow: noise and texture."""
        return float((image[self.mask].mean() - image[self.marrow].mean()) / max(image[self.marrow].std(), 1e-4))


def sound_marrow(label, lesion, pixel_mm):
    """Marrow of every body in the slice that is not close to a lesion or the edge: {label: mask}."""
    clear = ndimage.distance_transform_edt(lesion == 0) * pixel_mm > MARGIN_MM if (lesion > 0).any() else np.ones(lesion.shape, bool)
    return {int(v): inner(label == v, MARGIN_MM, pixel_mm) & clear for v in np.unique(label[is_body(label)])}


def find(kinds, label, lesion, pixel_mm):
    """The lesions of these kinds in a slice that are at least LEAST_DIAMETER_MM wide."""
    marrow = sound_marrow(label, lesion, pixel_mm)
    others = np.zeros(label.shape, bool)
    for mask in marrow.values():
        others |= mask
    found = []
    for kind in kinds:
        _, code, sites = TYPES[kind]
        parts = [(site, (lesion == code) & (label == site)) for site in sites] if sites else [(None, lesion == code)]
        for site, mask in parts:
            own = marrow.get(site, others)
            reference = own if own.sum() >= LEAST_MARROW else others
            each = Lesion(kind, mask, reference, pixel_mm)
            if each.diameter_mm >= LEAST_DIAMETER_MM and reference.sum() >= LEAST_MARROW:
                found.append(each)
    return found


SMOOTH_MM = 2.5
SMALLEST_MM = 5.0
LEAST_MOTTLE = 0.1
UNSURE = 2.0


def conspicuity_map(image, label, pixel_mm, deviation=None):
    """By how much a disc of SMALLEST_MM is brighter than the marrow of its body everywhere in the bodies, in units of what marrow varies by
    anyway: what a reader's eye, or a simple program, would call a lesion where it exceeds a threshold. NaN outside the inner part of bodies.

        least over the disc of (smooth image - m) / sqrt(mottle^2 + (LEAST_MOTTLE m)^2 + (UNSURE s)^2)

    m and mottle: median of the body's own marrow and 1.4826 times its median absolute deviation, or the median over all bodies where it is less, as where a
    lesion takes most of a body. s: smooth `deviation`, where an image says how far it is to be trusted. The sizes were chosen on
    patients of bank.CALIBRATION (seeds 2100 to 2133, 2200 to 2223, 2300 to 2323) and healthy ones of seeds 2400 to 2479; UNSURE
    on 108 slices of bank.CALIBRATION (marrow, infected) and two of each healthy series of CALIBRATION_SERIES.
    """
    medians, mottles, masks = {}, {}, {}
    for v in np.unique(label[is_body(label)]):
        mask = inner(label == v, MARGIN_MM, pixel_mm)
        if mask.sum() >= LEAST_MARROW:
            masks[v], medians[v] = mask, np.median(image[mask])
            mottles[v] = 1.4826 * np.median(np.abs(image[mask] - medians[v]))
    if not masks:
        return np.full(label.shape, np.nan, np.float32)
    usual, usual_mottle = (np.median(list(each.values())) for each in (medians, mottles))
    inside = np.zeros(label.shape, bool)
    reference, mottle = np.ones((2, *label.shape), np.float32)
    for v, mask in masks.items():
        inside |= mask
        reference[mask] = max(min(medians[v], usual), 1e-3)
        mottle[mask] = min(mottles[v], usual_mottle)
    weight = np.maximum(ndimage.gaussian_filter(inside.astype(np.float32), SMOOTH_MM / pixel_mm), 1e-3)
    smooth = lambda values: ndimage.gaussian_filter(np.where(inside, values, 0), SMOOTH_MM / pixel_mm) / weight
    unsure = 0 if deviation is None else UNSURE * smooth(deviation)
    excess = (smooth(image) - reference) / np.sqrt(mottle**2 + (LEAST_MOTTLE * reference) ** 2 + unsure**2)
    radius = SMALLEST_MM / 2 / pixel_mm
    line = np.arange(-int(radius + 1), int(radius + 1) + 1)
    disc = np.hypot(*np.meshgrid(line, line)) <= radius
    opened = ndimage.grey_opening(np.where(inside, excess, -1), footprint=disc)
    return np.where(inside, opened, np.nan).astype(np.float32)


def blobs(conspicuity, threshold):
    """Connected places above the threshold: masks."""
    labelled, count = ndimage.label(np.nan_to_num(conspicuity, nan=-1) > threshold)
    return [labelled == k + 1 for k in range(count)]
