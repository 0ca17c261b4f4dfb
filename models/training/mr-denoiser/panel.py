"""Twenty cases, each a row of five: conventional, denoised at 50, 75 and 100 %, residual (mid-grey is 0, +-4 noise).

python3 panel.py --cache CACHE --data DATA --model ../../mr-denoiser/model.onnx --out ../../mr-denoiser/panel.png
"""

import argparse
import pathlib

import numpy as np
from skimage import io

import evaluate
import simulate
import unaliasing

SIZE = 128


def strongest(image):
    """Window of SIZE x SIZE with the most structure along rows and columns."""
    detail = np.abs(np.diff(image, axis=0))[:, 1:] + np.abs(np.diff(image, axis=1))[1:]
    best = max(
        (
            (top, left)
            for top in range(0, max(1, image.shape[0] - SIZE), 8)
            for left in range(0, max(1, image.shape[1] - SIZE), 8)
        ),
        key=lambda at: detail[at[0] : at[0] + SIZE, at[1] : at[1] + SIZE].sum(),
    )
    return tuple(slice(at, at + SIZE) for at in best)


def row_of(plain, cleaned, noise, window):
    top = np.percentile(np.abs(cleaned[window]), 99.5)
    blends = [np.abs(plain + strength * (cleaned - plain)) / top for strength in (0, 0.5, 0.75, 1)]
    residual = 0.5 + ((plain - cleaned) * np.exp(-1j * np.angle(cleaned))).real / noise / 8
    tiles = [np.pad(tile[window], [(0, SIZE - s) for s in tile[window].shape]) for tile in (*blends, residual)]
    return np.hstack(tiles)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('cache', 'data', 'model', 'out'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.quick = False
    bench = evaluate.Bench(options)
    real = [image for _, image in bench.real(10, 9)]
    rng = np.random.default_rng(1)
    groups = sorted({i['group'] for i in bench.simulated})
    simulated = [evaluate.even_choice([i['image'] for i in bench.simulated if i['group'] == g], 3)[1] for g in groups]
    cases = [(image, snr, 1) for image, snr in zip(real, (5, 5, 10, 10, 20, 20))]
    cases += [(image, 12, acceleration) for image, acceleration in zip(real[6:], (2, 3, 3))]
    cases += [(image, snr, 1) for image, snr in zip(simulated, (5, 8, 10, 10, 20, 10, 30))]
    cases += [
        (simulated[3], 12, 3),
        (bench.brains[20]['image'], 8, 1),
        (bench.brains[50]['image'], 20, 1),
        (simulate.shapes_image(rng), 10, 1),
    ]
    rows = []
    for k, (image, snr, acceleration) in enumerate(cases[:20]):
        if acceleration == 1:
            plain, _ = bench.noisy(image, snr, 700 + k)
            noise = np.ones(plain.shape, np.float32)
        else:
            scan = unaliasing.Scan(np.random.default_rng(k), snr * bench.complexed(image, rng), acceleration)
            plain, noise = scan.sense(scan.maps)
        rows.append(row_of(plain, bench.denoise(plain, noise), noise, strongest(np.abs(image[: plain.shape[0]]))))
    half = len(rows) // 2
    panel = np.hstack((np.vstack(rows[:half]), np.ones((half * SIZE, 8)), np.vstack(rows[half : 2 * half])))
    # 64 levels of grey: half the file, and nothing that the eye would miss in noise.
    io.imsave(options.out, (np.round(np.clip(panel, 0, 1) * 63) * 4).astype(np.uint8), check_contrast=False)


if __name__ == '__main__':
    main()
