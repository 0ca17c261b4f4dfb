"""Real and simulated slices with what the network makes of them, as a picture: image, structures, truth.

    python3 panel.py --model ../../spine-structures/model.onnx --data DATA --bank BANK --evaluation ../../spine-structures/evaluation.json --out ../../spine-structures/panel.png

Real: the mid-sagittal test slice in the middle by its Dice, the worst mid-sagittal one, the worst of all, a T2w of another kind, the T1w
and T2w of one slice. Simulated: sagittal and axial slices of the bank, a contrast each.
"""

import argparse
import json
import pathlib

import numpy as np
from PIL import Image

import data
import evaluate
import measures
import real
from structures import CANAL, CLASSES, NOMINAL_MM, UNKNOWN, VERTEBRA

TILE = 288
COLOURS = np.array([
    (0, 0, 0), (230, 70, 60), (250, 150, 40), (250, 230, 60), (60, 170, 250), (40, 60, 220), (170, 60, 190), (250, 200, 160), (70, 210, 90),
    (250, 80, 200), (150, 150, 150), (0, 140, 130),
])


def grey(image):
    return np.repeat((255 * np.clip(image / max(np.percentile(image, 99.3), 1e-6), 0, 1))[..., None], 3, -1)


def over(image, classes):
    shown = grey(image)
    return np.where((classes > 0)[..., None], 0.5 * shown + 0.5 * COLOURS[classes], shown)


def over_sets(image, sets):
    """What a real mask tells apart, in the colours of body, disc and sac; outlines white."""
    shown = grey(image)
    classes = {VERTEBRA: 1, 3: 3, CANAL: 4}
    for value, index in classes.items():
        shown = np.where((sets == value)[..., None], 0.5 * shown + 0.5 * COLOURS[index], shown)
    return np.where((sets == UNKNOWN)[..., None], 0.7 * shown + 70, shown)


def tile(picture):
    """In the middle of a square."""
    out = np.zeros((TILE, TILE, 3))
    rows, columns = (min(TILE, n) for n in picture.shape[:2])
    top, left = ((n - m) // 2 for n, m in zip(picture.shape[:2], (rows, columns)))
    cut = picture[top : top + rows, left : left + columns]
    out[(TILE - rows) // 2 : (TILE - rows) // 2 + rows, (TILE - columns) // 2 : (TILE - columns) // 2 + columns] = cut
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('model', 'data', 'bank', 'evaluation', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    options = parser.parse_args()
    run = measures.of_onnx(options.model)
    found = json.loads(options.evaluation.read_text())
    rows = found['real']['bySlice']
    score = lambda row: np.mean([value for value in row['dice'].values() if value is not None])
    middle = sorted((max((r for r in rows if r['case'] == case), key=lambda r: r['canalMm2']) for case in {r['case'] for r in rows}), key=score)
    wanted = [middle[len(middle) // 2]['slice'], middle[0]['slice'], min(rows, key=score)['slice']]
    by_name = {one.name: one for one in real.space_slices(options.data) + real.labelled_slices(options.data) + evaluate.vertebra_slices(options.data / 'spider-lumbar-t1t2')}
    others = sorted(found['realT2w']['bySlice'], key=score)
    wanted += [others[len(others) // 2]['slice'], '10025_11', '10026_11']
    cells = []
    for name in wanted:
        one = by_name[name]
        probabilities, sets = measures.segmented_real(run, one)
        image = real.at(one.image, one.pixel_mm, NOMINAL_MM['sagittal'], 1)
        cells.append([grey(image), over(image, probabilities.argmax(0)), over_sets(image, sets)])
    for orientation, picks in (('sagittal', 3), ('axial', 5)):
        cases = data.Simulated([options.bank / orientation], lambda seed: True)
        for k, index in enumerate(np.linspace(0, len(cases) - 1, picks).astype(int)):
            image, true = evaluate.bank_image(cases, index, evaluate.CONTRASTS[k % 5], orientation)
            cells.append([grey(image), over(image, run(image).argmax(0)), over(image, true)])
    strips = [np.concatenate([tile(picture) for picture in cell], 1) for cell in cells]
    pairs = [np.concatenate(strips[k : k + 2], 1) for k in range(0, len(strips), 2)]
    Image.fromarray(np.concatenate(pairs, 0).astype(np.uint8)).save(options.out, optimize=True)
    print(wanted, [CLASSES[k] for k in range(1, 12)])


if __name__ == '__main__':
    main()
