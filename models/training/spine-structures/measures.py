"""How alike two segmentations are, and how a whole slice is segmented, wherever it comes from."""

import numpy as np
import torch

import real
from structures import BELOW, CANAL, INDEX, NOMINAL_MM, UNKNOWN, VERTEBRA, normalise

MULTIPLE_OF = 16
# What real masks tell apart, as classes.
GROUPS = {
    'vertebra': tuple(INDEX[name] for name in ('vertebralBody', 'posteriorElements', 'facetJoint')),
    'disc': (INDEX['disc'],),
    'canal': tuple(INDEX[name] for name in ('sac', 'cord')),
}
TRUE_SETS = {'vertebra': (VERTEBRA, *GROUPS['vertebra']), 'disc': GROUPS['disc'], 'canal': (CANAL, *GROUPS['canal'])}


def dice(first, second, known=None):
    """2 |A and B| / (|A| + |B|); None where both are empty."""
    if known is not None:
        first, second = first & known, second & known
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else None


def filled_up(image):
    """Rows and columns to multiples of MULTIPLE_OF, by reflection."""
    return np.pad(image, [(0, -n % MULTIPLE_OF) for n in image.shape], mode='reflect')


def of_torch(net, device='cpu'):
    """image [rows, columns] -> probabilities [12, rows, columns] of a PyTorch network."""

    def run(image):
        with torch.no_grad():
            logits = net(torch.from_numpy(filled_up(image))[None, None].to(device))[0]
        return torch.softmax(logits, 0).cpu().numpy()[:, : image.shape[0], : image.shape[1]]

    return run


def of_onnx(path):
    """The same of an exported one, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])

    def run(image):
        logits = session.run(None, {'image': filled_up(image)[None, None]})[0][0]
        odds = np.exp(logits - logits.max(0))
        return (odds / odds.sum(0))[:, : image.shape[0], : image.shape[1]]

    return run


def segmented_real(run, one, pixel_mm=NOMINAL_MM['sagittal']):
    """Probabilities and sets of a real slice (real.Slice) at `pixel_mm`."""
    image = real.at(one.image, one.pixel_mm, pixel_mm, 1).astype(np.float32)
    sets = real.at(real.with_outlines(one.kinds, one.pixel_mm), one.pixel_mm, pixel_mm, 0)
    return run(normalise(image)), sets


def group_dice(classes, sets):
    """By group; outlines count for nothing, nor the rows under the mask of the canal for it."""
    found = {}
    for name, members in GROUPS.items():
        known = (sets != UNKNOWN) & ~((sets == BELOW) & (name == 'canal'))
        found[name] = dice(np.isin(classes, members), np.isin(sets, TRUE_SETS[name]), known)
    return found
