"""What the model does on CT that it never saw: evaluate.py MODEL.onnx SIMULATED SPINE_CT OUT.json [PANEL_FOLDER]

Three kinds of test images, none of them in the training bank, all 512 x 512:
  real       the 3 mm CT of TotalSegmentator, interpolated; its own projections, quanta drawn for the dose, parallel beam
  simulated  `conus simulate`, seeds 401-404: fan beam, Poisson and electronic noise, starved channels (simulate.sh test)
  discs      analytic discs in noise of the same physics, for resolution and the noise power spectrum

Truth is the noise-free reconstruction with the same kernel: a denoiser is not to sharpen. The noise map is the local standard
deviation of the true noise. Non-local means is tuned on every image with the truth in hand, which nobody has: generous to it.
"""
import json
import sys
import time
from pathlib import Path
import nibabel
import numpy as np
import onnxruntime
from scipy import ndimage
from skimage.restoration import denoise_nl_means
from skimage.transform import radon
import tomography

SEED = 4242
DOSE = 0.28


class Model:
    def __init__(self, path, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])

    def __call__(self, image, noise):
        feed = {'image': image[None, None].astype(np.float32), 'noise': noise[None, None].astype(np.float32)}
        return self.session.run(None, feed)[0][0, 0]


def local_std(noise, sigma=10):
    return np.sqrt(ndimage.gaussian_filter(noise ** 2, sigma))


def flat_mask(truth):
    """Soft tissue whose local mean changes by less than 15 HU over 9 pixels. A real truth has noise of its own there."""
    mean = ndimage.gaussian_filter(truth, 2.5)
    spread = ndimage.maximum_filter(mean, 9) - ndimage.minimum_filter(mean, 9)
    return ndimage.binary_erosion((spread < 15) & (np.abs(mean) < 200), iterations=3)


def best_nlm(noisy, truth, std, body):
    """Over strength and patch, by the truth."""
    best = None
    for patch, reach in ((3, 6), (5, 6)):
        for strength in (0.4, 0.6, 0.8, 1.1, 1.5):
            result = denoise_nl_means(noisy, patch_size=patch, patch_distance=reach, h=strength * std, sigma=0, fast_mode=True)
            error = nrmse(result, truth, body)
            if best is None or error < best[0]:
                best = (error, result)
    return best[1]


def nrmse(image, truth, body):
    """Root mean square error in HU over the root mean square of HU + 1000, in the body."""
    return float(np.sqrt(np.mean((image - truth)[body] ** 2) / np.mean((truth[body] + 1000) ** 2)))


def image_metrics(model, noisy, truth, with_nlm):
    noise = noisy - truth
    std = local_std(noise)
    denoised = model(noisy, std)
    body = ndimage.binary_erosion(truth > -500, iterations=4)
    flat = flat_mask(truth) & body
    error = denoised - truth
    # The bias of what a reader measures: means over regions of 1000 pixels or more, whose noise has a mean of its own.
    regions, n = ndimage.label(flat)
    sizes = ndimage.sum(flat, regions, range(1, n + 1)) if n else []
    large = [i + 1 for i, size in enumerate(sizes) if size >= 1000]
    largest = lambda difference: float(np.max(np.abs(ndimage.mean(difference, regions, large)))) if large else 0.0
    metrics = {
        'noiseHu': float(noise[flat].std()), 'flatPixels': int(flat.sum()),
        'flatNoiseRatio': float(error[flat].std() / noise[flat].std()),
        'biasHu': float((denoised - noisy)[flat].mean()), 'meanErrorNoisyHu': float(noise[flat].mean()), 'meanErrorHu': float(error[flat].mean()),
        'regionErrorNoisyHu': largest(noise), 'regionErrorHu': largest(error),
        'nrmseNoisy': nrmse(noisy, truth, body), 'nrmseDenoised': nrmse(denoised, truth, body),
        'residualOverNoise': float(((noisy - denoised) / std)[body].std()),
    }
    if with_nlm:
        nlm = best_nlm(noisy, truth, float(np.median(std[body])), body)
        metrics['nrmseNlm'] = nrmse(nlm, truth, body)
        metrics['flatNoiseRatioNlm'] = float((nlm - truth)[flat].std() / noise[flat].std())
        return metrics, denoised, nlm
    return metrics, denoised, None


def scan_noise(hu, pixel_mm, dose, rng, size=512, thickness_mm=3.0, n_views=600, step=0.6):
    """Ramp noise of a slice at a dose: its projections, Poisson and electronic noise, logarithm, minus the noise-free."""
    small = ndimage.zoom(np.maximum(hu + 1000, 0), 0.5, order=1) * tomography.WATER_PER_MM / 1000
    reach_mm = size * pixel_mm / 2
    t = (np.arange(2 * int(reach_mm * 1.4 / step)) + 0.5) * step - int(reach_mm * 1.4 / step) * step
    theta = np.arange(n_views) * np.pi / n_views
    # skimage turns the image; its column c at angle a is our t at theta = -a.
    coarse = radon(np.pad(small, int(0.22 * len(small))), theta=-np.degrees(theta[::4]), circle=False) * 2 * pixel_mm
    place = (t / (2 * pixel_mm)) + coarse.shape[0] // 2
    views = np.arange(n_views) / 4
    p = ndimage.map_coordinates(coarse, np.meshgrid(place, np.minimum(views, coarse.shape[1] - 1)), order=1, mode='nearest')
    chord = np.sqrt(np.maximum(400.0 ** 2 - 4 * t ** 2, 0))
    incident = 2e6 * 200 * thickness_mm / 984 * dose * np.maximum(0.03, np.exp(-tomography.WATER_PER_MM * (400 - chord)))
    counts = rng.poisson(incident * np.exp(-p)) + 8 * np.sqrt(thickness_mm / 0.625) * rng.standard_normal(p.shape)
    noise = np.log(incident / np.maximum(counts, 5)) - p
    length = 2 ** int(np.ceil(np.log2(2 * len(t))))
    ramp = np.fft.rfftfreq(length, step)
    filtered = np.fft.irfft(np.fft.rfft(noise, length) * ramp, 3 * length)[:, :3 * len(t)] * 3
    image = tomography.backproject(filtered, theta, t[0], step / 3, (0, 0), size, pixel_mm)
    return image * np.pi / n_views * 1000 / tomography.WATER_PER_MM, 1 / (2 * step)


def real_slices(folder, n=6):
    volume = nibabel.load(Path(folder) / 'totalsegmentator-example-ct' / 'example_ct.nii.gz').get_fdata().astype(np.float32)
    volume = np.maximum(volume, -1024)
    edge = max(volume.shape[:2])
    for k in np.linspace(20, volume.shape[2] - 12, n).astype(int):
        plane = volume[:, ::-1, k].T
        pad = [((edge - m) // 2, edge - m - (edge - m) // 2) for m in plane.shape]
        plane = np.pad(plane, pad, constant_values=-1024)
        zoom = 512 / edge
        yield f'real-{k}', np.clip(ndimage.zoom(plane, zoom, order=3)[:512, :512], -1024, 3000), 3.0 / zoom


def real(spine_ct, rng, kernels=('soft', 'bone')):
    for name, hu, pixel_mm in real_slices(spine_ct):
        ramp, nyquist = scan_noise(hu, pixel_mm, DOSE, rng)
        for kernel in kernels:
            truth = tomography.apply_kernel(hu, kernel, nyquist, pixel_mm)
            noisy = truth + tomography.apply_kernel(ramp, kernel, nyquist, pixel_mm)
            yield {'set': 'real', 'image': name, 'kernel': kernel, 'dose': DOSE}, noisy, truth


def simulated(folder, doses=(1, 0.5, 0.28, 0.1), kernels=('soft', 'bone', 'ramLak')):
    for case in sorted(Path(folder).glob('test-*')):
        read = lambda dose, kernel: np.asarray(nibabel.load(case / 'ct' / f'dose-{dose}-{kernel}.nii.gz').dataobj, np.float32)
        for kernel in kernels:
            truth = read(1000000, kernel)
            for dose in doses:
                noisy = read(dose, kernel)
                k = truth.shape[2] // 2
                yield {'set': 'simulated', 'image': case.name, 'kernel': kernel, 'dose': dose}, noisy[:, :, k].T, truth[:, :, k].T


def disc(contrast, centre, radius, size=512):
    """Edges one pixel wide, by area."""
    y, x = np.mgrid[:size, :size]
    return contrast * np.clip(radius - np.hypot(y - centre[0], x - centre[1]) + 0.5, 0, 1)


def edge_spread(image, centre, radius, bin_px=0.25, reach=16):
    y, x = np.mgrid[:image.shape[0], :image.shape[1]]
    distance = np.hypot(y - centre[0], x - centre[1]) - radius
    near = np.abs(distance) < reach
    index = np.floor((distance[near] + reach) / bin_px).astype(int)
    return np.bincount(index, image[near]) / np.bincount(index)


def mtf50(profile, bin_px=0.25):
    """Frequency in cycles a pixel at which the transform of the derivative has fallen to a half."""
    spread = -np.diff(profile)
    spread = spread * np.hanning(len(spread) + 2)[1:-1]
    mtf = np.abs(np.fft.rfft(spread, 4096))
    mtf /= mtf[0]
    f = np.fft.rfftfreq(4096, bin_px)
    below = np.flatnonzero(mtf < 0.5)[0]
    return float(np.interp(0.5, [mtf[below], mtf[below - 1]], [f[below], f[below - 1]]))


def water(size, pixel_mm, radius_mm=150):
    return disc(1000.0, (size // 2, size // 2), radius_mm / pixel_mm, size) - 1000


def resolution(model, rng, kernel='soft', pixel_mm=0.7, n_noise=6):
    """Nine discs of one contrast in 300 mm of water: MTF50 of the mean edge over that of the truth (a task-based transfer
    function), what is left of the contrast of small discs, and the noise power of water alone before and after."""
    plain = water(512, pixel_mm)
    scans = [scan_noise(plain, pixel_mm, DOSE, rng) for _ in range(n_noise)]
    noises = [tomography.apply_kernel(ramp, kernel, nyquist, pixel_mm) for ramp, nyquist in scans]
    std = np.sqrt(ndimage.gaussian_filter(np.mean(np.square(noises), 0), 6))
    centres = [(256.3 + 100 * i, 256.6 + 100 * j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    centre_std = float(std[192:320, 192:320].mean())
    result = {'kernel': kernel, 'dose': DOSE, 'noiseHu': centre_std, 'edges': [], 'small': []}

    def seen(contrast, radius):
        truth = tomography.apply_kernel(plain + sum(disc(contrast, c, radius) for c in centres), kernel, scans[0][1], pixel_mm)
        return truth, np.mean([model(truth + noise, std) for noise in noises], 0)

    for contrast in (50, 100, 300, 1000):
        truth, denoised = seen(contrast, 24)
        profile = lambda image: np.mean([edge_spread(image, c, 24) for c in centres], 0)
        before, after = mtf50(profile(truth)), mtf50(profile(denoised))
        result['edges'].append({'contrastHu': contrast, 'mtf50PerMm': before / pixel_mm, 'mtf50Ratio': after / before})
    for radius in (2, 3, 5):
        truth, denoised = seen(50, radius)
        base = tomography.apply_kernel(plain, kernel, scans[0][1], pixel_mm)
        kept = [np.sum((denoised - base)[disc(1, c, radius) > 0.5]) / np.sum((truth - base)[disc(1, c, radius) > 0.5]) for c in centres]
        result['small'].append({'contrastHu': 50, 'radiusPx': radius, 'contrastKept': float(np.mean(kept))})
    base = tomography.apply_kernel(plain, kernel, scans[0][1], pixel_mm)
    f, before = noise_power(noises, pixel_mm)
    _, after = noise_power([model(base + noise, std) - base for noise in noises], pixel_mm)
    mean_f = lambda power: float(np.sum(f * f * power) / np.sum(f * power))
    result['noisePower'] = {'perMm': [round(float(v), 4) for v in f], 'before': [round(float(v), 2) for v in before], 'after': [round(float(v), 2) for v in after],
                            'meanFrequencyBefore': mean_f(before), 'meanFrequencyAfter': mean_f(after)}
    return result


def noise_power(noises, pixel_mm, edge=64):
    """Radial noise power, HU^2 mm^2, of nine squares about the centre."""
    corners = [(256 - edge // 2 + 80 * i, 256 - edge // 2 + 80 * j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    rois = np.stack([noise[r:r + edge, c:c + edge] for noise in noises for r, c in corners])
    rois = rois - rois.mean((1, 2), keepdims=True)
    power = np.mean(np.abs(np.fft.fft2(rois)) ** 2, 0) * pixel_mm ** 2 / edge ** 2
    f = np.hypot(np.fft.fftfreq(edge, pixel_mm)[:, None], np.fft.fftfreq(edge, pixel_mm)[None])
    index = np.round(f * edge * pixel_mm).astype(int)
    keep = (index > 0) & (index <= edge // 2)
    return (np.bincount(index[keep], f[keep]) / np.maximum(1, np.bincount(index[keep])))[1:], \
        (np.bincount(index[keep], power[keep]) / np.maximum(1, np.bincount(index[keep])))[1:]


def latency(path, n=9):
    """Of 512 x 512, milliseconds: median wall time on two threads, processor time on one."""
    image, noise = np.zeros((512, 512), np.float32), np.full((512, 512), 20, np.float32)
    def times(threads, clock):
        model = Model(path, threads)
        model(image, noise)
        values = []
        for _ in range(n):
            start = clock()
            model(image, noise)
            values.append(1000 * (clock() - start))
        return float(np.median(values))
    return {'twoThreadsWallMs': times(2, time.perf_counter), 'oneThreadCpuMs': times(1, time.process_time)}


def homogeneity(model, rng):
    image = rng.normal(0, 50, (128, 128))
    noise = np.full((128, 128), 20.0)
    base = model(image, noise)
    return {'offsetErrorHu': float(np.abs(model(image + 700, noise) - 700 - base).max()),
            'scaleErrorHu': float(np.abs(model(4 * image, 4 * noise) / 4 - base).max())}


def picture(noisy, truth, denoised, nlm, path):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(2, 4, figsize=(20, 10))
    row, column = 150, 180
    parts = (('noisy', noisy), ('denoised', denoised), ('truth', truth), ('non-local means, tuned', nlm))
    for axis, (title, image) in zip(axes[0], parts):
        axis.imshow(image, vmin=-160, vmax=240, cmap='gray')
        axis.set_title(title)
    for axis, (title, image) in zip(axes[1], parts[:2] + (('what was taken away', None), ('what is wrong', None))):
        shown = noisy - denoised if title == 'what was taken away' else denoised - truth if title == 'what is wrong' else image[row:row + 160, column:column + 160]
        limits = (-60, 60) if image is None else (-160, 240)
        axis.imshow(shown, vmin=limits[0], vmax=limits[1], cmap='gray')
        axis.set_title(title)
    for axis in axes.flat:
        axis.axis('off')
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    plt.close(figure)


def main(model_path, simulated_folder, spine_ct, out, panels=None):
    model = Model(model_path)
    rng = np.random.default_rng(SEED)
    rows = []
    for source in (real(spine_ct, rng), simulated(simulated_folder)):
        for facts, noisy, truth in source:
            with_nlm = facts['dose'] == DOSE
            metrics, denoised, nlm = image_metrics(model, noisy, truth, with_nlm)
            rows.append({**facts, **metrics})
            print({key: round(value, 4) if isinstance(value, float) else value for key, value in rows[-1].items()}, flush=True)
            if panels and with_nlm:
                Path(panels).mkdir(parents=True, exist_ok=True)
                picture(noisy, truth, denoised, nlm, Path(panels) / f"{facts['image']}-{facts['kernel']}.png")
    result = {'images': rows, 'summary': summary(rows), 'resolution': [resolution(model, rng, kernel) for kernel in ('soft', 'bone')],
              'homogeneity': homogeneity(model, rng), 'latency': latency(model_path)}
    Path(out).write_text(json.dumps(result, indent=1))
    print(json.dumps({key: result[key] for key in ('summary', 'homogeneity', 'latency')}, indent=1))
    for entry in result['resolution']:
        print(entry['kernel'], entry['edges'], entry['small'], entry['noisePower']['meanFrequencyBefore'], entry['noisePower']['meanFrequencyAfter'])


def summary(rows):
    """Means over images, by set, kernel and dose; the largest bias."""
    groups = {}
    for row in rows:
        groups.setdefault((row['set'], row['kernel'], row['dose']), []).append(row)
    result = []
    for (name, kernel, dose), group in groups.items():
        mean = lambda key: round(float(np.mean([row[key] for row in group])), 4)
        keys = ['noiseHu', 'flatNoiseRatio', 'nrmseNoisy', 'nrmseDenoised', 'residualOverNoise']
        keys += ['nrmseNlm', 'flatNoiseRatioNlm'] if 'nrmseNlm' in group[0] else []
        result.append({'set': name, 'kernel': kernel, 'dose': dose, 'images': len(group), **{key: mean(key) for key in keys},
                       'biasHu': mean('biasHu'), 'largestBiasHu': round(max(abs(row['biasHu']) for row in group), 4),
                       'largestMeanErrorNoisyHu': round(max(abs(row['meanErrorNoisyHu']) for row in group), 4),
                       'largestMeanErrorHu': round(max(abs(row['meanErrorHu']) for row in group), 4),
                       'regionErrorNoisyHu': mean('regionErrorNoisyHu'), 'regionErrorHu': mean('regionErrorHu')})
    return result


if __name__ == '__main__':
    main(*sys.argv[1:])
