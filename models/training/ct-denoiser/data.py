"""A bank of clean images and noise fields that training draws from: data.py SIMULATED SPINE_CT BANK.npz PIXEL_MM N

Clean images [kernel, image, 512, 512] in HU: simulated CT (simulate.sh), the 1.5 mm CT crop of the L3 (TPTBox sample;
noisy, so smoothed and interpolated), dead leaves. Noise [kernel, field, 512, 512] in units of its standard deviation map,
which is kept beside it; N fields, N dead leaves. The pixel size sets where kernels end in cycles a pixel. The 3 mm CT of TotalSegmentator is not read here: it is for testing.
"""
import sys
from pathlib import Path
import nibabel
import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_nl_means
import shapes
import tomography

SEED = 20250
SCANNER_NYQUIST = 0.81  # of the simulator's detector at the isocentre


def simulated(folder):
    for path in sorted(Path(folder).glob('train-*/ct/dose-1000000-ramLak.nii.gz')):
        volume = np.asarray(nibabel.load(path).dataobj, np.float32)
        for k in range(volume.shape[2]):
            yield volume[:, :, k].T


def l3(folder, rng):
    """Three planes through the crop, 1.5 mm -> 0.49 mm, mirrored out to 512 x 512."""
    volume = nibabel.load(Path(folder) / 'tptbox-ct-sample' / 'sub-ct_label-22_ct.nii.gz').get_fdata().astype(np.float32)
    volume = denoise_nl_means(volume, patch_size=3, patch_distance=4, h=60.0, fast_mode=True)
    for axis, length in ((1, 12), (0, 6), (2, 6)):
        for k in rng.choice(np.arange(8, volume.shape[axis] - 8), length, replace=False):
            plane = ndimage.zoom(np.take(volume, k, axis), 1.5 / tomography.PIXEL_MM, order=3)
            pad = [(0, max(0, 512 - n)) for n in plane.shape]
            yield np.pad(plane, pad, mode='symmetric')[:512, :512].astype(np.float32)


def clean_images(simulated_folder, spine_ct, pixel_mm, n, rng):
    pool = shapes.textures(rng)
    leaves = [shapes.dead_leaves(rng, pool) for _ in range(n)]
    sources = {'simulated': list(simulated(simulated_folder)), 'l3': list(l3(spine_ct, rng)), 'leaves': leaves}
    print({name: len(images) for name, images in sources.items()}, flush=True)
    images = [image for group in sources.values() for image in group]
    origin = np.repeat(np.arange(3), [len(group) for group in sources.values()])
    return np.stack([[tomography.apply_kernel(image, kernel, SCANNER_NYQUIST, pixel_mm) for image in images]
                     for kernel in tomography.KERNELS]), origin


def noise_fields(pixel_mm, n, rng):
    fields = np.empty((len(tomography.KERNELS), n, 512, 512), np.float32)
    stds = np.empty((n, 512, 512), np.float32)
    for i in range(n):
        ramp, std, nyquist = tomography.noise_field(rng, pixel_mm)
        for k, kernel in enumerate(tomography.KERNELS):
            ratio = tomography.apply_kernel(ramp, kernel, nyquist, pixel_mm) / std
            fields[k, i] = ratio / ratio.std()
        stds[i] = std / std.mean()
    return fields, stds


if __name__ == '__main__':
    simulated_folder, spine_ct, out, pixel_mm, n = *sys.argv[1:4], float(sys.argv[4]), int(sys.argv[5])
    rng = np.random.default_rng(SEED + round(1000 * pixel_mm))
    fields, stds = noise_fields(pixel_mm, n, rng)
    clean, origin = clean_images(simulated_folder, spine_ct, pixel_mm, n, rng)
    np.savez(out, clean=clean, origin=origin, fields=fields, stds=stds)
    print('bank', clean.shape, fields.shape)
