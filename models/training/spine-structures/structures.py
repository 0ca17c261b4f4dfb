"""What is told apart, how label maps name it, and how an image is made into what the network takes."""

import numpy as np
from scipy import ndimage

CLASSES = (
    'background', 'vertebralBody', 'posteriorElements', 'disc', 'sac', 'cord', 'sacrum', 'epiduralFat', 'foramen', 'facetJoint',
    'otherBone', 'ligamentumFlavum',
)
INDEX = {name: index for index, name in enumerate(CLASSES)}
NOMINAL_MM = dict(sagittal=0.8, axial=0.625)
BRIGHTEST = 6.0

# simulator/spine/labels.ts: hundreds are kinds, the rest vertebrae from C1 (1) to L6 (25), S1 (26) to Co1 (31).
LAST_PRESACRAL = 25
CSF, CORD, ROOT = 1, 2, 10
PLAIN_CODES = {CSF: 'sac', CORD: 'cord', 3: 'epiduralFat', 4: 'ligamentumFlavum', 9: 'sacrum', 49: 'otherBone'}
KINDS = {1: 'vertebralBody', 2: 'posteriorElements', 3: 'disc', 4: 'foramen', 5: 'foramen', 6: 'facetJoint', 7: 'facetJoint'}
PART_OF_SACRUM = ('vertebralBody', 'posteriorElements', 'disc')
# Roots of the cauda equina lie between CSF on both sides, no further apart than this.
CAUDA_MM = 4.0


def class_table(most=800):
    """Class of each code of a label map; roots apart (classes_of)."""
    table = np.zeros(most, np.uint8)
    for code, name in PLAIN_CODES.items():
        table[code] = INDEX[name]
    for hundreds, name in KINDS.items():
        for vertebra in range(1, 32):
            sacral = vertebra > LAST_PRESACRAL and name in PART_OF_SACRUM
            table[100 * hundreds + vertebra] = INDEX['sacrum' if sacral else name]
    return table


TABLE = class_table()


def classes_of(label, pixel_mm):
    """Classes [rows, columns] of the simulator's label codes. Roots within the sac are sac, others foramen."""
    classes = TABLE[label]
    roots = label == ROOT
    if roots.any():
        radius = max(1, round(CAUDA_MM / 2 / pixel_mm))
        y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        within = ndimage.binary_closing(np.pad((label == CSF) | (label == CORD), radius + 1), x**2 + y**2 <= radius**2)
        within = within[radius + 1 : -radius - 1, radius + 1 : -radius - 1]
        classes[roots] = np.where(within[roots], INDEX['sac'], INDEX['foramen'])
    return classes


def normalise(image):
    """MR magnitude over the mean of its foreground (above 10 % of the 99th percentile), 0 to BRIGHTEST."""
    foreground = image[image > 0.1 * np.percentile(image, 99)]
    mean = foreground.mean() if foreground.size else 1.0
    return np.clip(image / max(float(mean), 1e-9), 0, BRIGHTEST).astype(np.float32)


def normalise_ct(hounsfield):
    return np.clip((hounsfield + 200) / 400, 0, BRIGHTEST).astype(np.float32)


# What a pixel of a partly labelled image may be: the loss is that of the sum of their probabilities.
SINGLE = len(CLASSES)
VERTEBRA, CANAL, ELSEWHERE, BELOW, UNKNOWN = range(SINGLE, SINGLE + 5)
_ELSEWHERE = ('background', 'sacrum', 'epiduralFat', 'foramen', 'facetJoint', 'otherBone', 'ligamentumFlavum')
ALLOWED = {
    VERTEBRA: ('vertebralBody', 'posteriorElements', 'facetJoint'),
    CANAL: ('sac', 'cord'),
    ELSEWHERE: _ELSEWHERE,
    # The sac goes on below where its mask was cut off.
    BELOW: (*_ELSEWHERE, 'sac'),
    UNKNOWN: CLASSES,
}


def allowed_table():
    """[sets, classes] of 0 and 1: a set a row, first one for each class by itself."""
    table = np.zeros((SINGLE + len(ALLOWED), len(CLASSES)), np.float32)
    table[:SINGLE] = np.eye(len(CLASSES))
    for row, names in ALLOWED.items():
        table[row, [INDEX[name] for name in names]] = 1
    return table
