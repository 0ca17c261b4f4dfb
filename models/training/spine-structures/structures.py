"""What is told apart, how label maps name it, and how an image is made into what the network takes."""

import numpy as np
import torch
import torch.nn.functional as F

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
    table = torch.zeros(most, dtype=torch.uint8)
    for code, name in PLAIN_CODES.items():
        table[code] = INDEX[name]
    for hundreds, name in KINDS.items():
        for vertebra in range(1, 32):
            sacral = vertebra > LAST_PRESACRAL and name in PART_OF_SACRUM
            table[100 * hundreds + vertebra] = INDEX['sacrum' if sacral else name]
    return table


TABLE = class_table()


def classes_of(label, pixel_mm):
    """Classes [rows, columns] (uint8) of the simulator's label codes, a tensor of integers. Roots within the sac are sac, others foramen."""
    label = label.long()
    radius = max(1, round(CAUDA_MM / 2 / pixel_mm))
    offset = torch.arange(-radius, radius + 1, device=label.device)
    disc = (offset[:, None] ** 2 + offset**2 <= radius**2).float()[None, None]
    sac = ((label == CSF) | (label == CORD)).float()[None, None]
    # The closing of the sac: spread by the disc, and drawn back by it.
    spread = (F.conv2d(sac, disc, padding=2 * radius) > 0.5).float()
    within = F.conv2d(spread, disc)[0, 0] > disc.sum() - 0.5
    roots = torch.where(within, INDEX['sac'], INDEX['foramen']).byte()
    return torch.where(label == ROOT, roots, TABLE.to(label.device)[label])


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
    # Not facetJoint, little of which the masks have: left free, the network came to call all real arches so.
    VERTEBRA: ('vertebralBody', 'posteriorElements'),
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
