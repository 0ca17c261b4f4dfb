"""Measures the exported model on patients that it has never seen; writes evaluation.json, evaluation.md and trust.json.

    python3 evaluate.py --cache CACHE --data DATA --model ../../mr-denoiser/model.onnx --out ../../mr-denoiser

Every noise has a fixed seed. Real slices count for a noise level only where their own SNR is at least twice as high.
`--quick` takes fewer images; `--only NAME` one section.
"""

import argparse
import json
import pathlib
import time

import numpy as np

import classical
import data
import measures
import simulate
import unaliasing
from denoiser import OnnxDenoiser

SEED = 4711


def even_choice(items, count):
    """At most `count` of the items, evenly."""
    return [items[int(k)] for k in np.linspace(0, len(items) - 1, min(count, len(items)))] if items else []


class Bench:
    def __init__(self, options):
        self.denoise = OnnxDenoiser(options.model)
        self.options = options
        self.count = 6 if options.quick else 20
        images = data.load(options.cache / 'test.npz')
        self.simulated = [i for i in images if i['group'].startswith('sim')]
        self.brains = [i for i in images if i['group'] == 'brain']
        slices = [(name, image) for _, _, name, image in data.spider(options.data, ['test'])]
        # Two slices a patient and sequence are enough, the outermost left out.
        cases = {}
        for name, image in slices:
            cases.setdefault(name.rsplit('slice')[0] if 'slice' in name else name, []).append((name, image))
        self.slices = [
            (
                name,
                [
                    (data.own_snr(small), small)
                    for factor in (1.7, 2.2, 2.8, 3.6, 4.5)
                    for small in [data.scaled(image, factor)]
                    if min(small.shape) >= 80
                ],
            )
            for case in cases.values()
            for name, image in even_choice(case, 4)[-3:-1] or case
        ]

    def real(self, snr, count=None):
        """Real slices of test patients, scaled down as far as it takes for twice the SNR: (name, image)."""
        good = []
        for name, versions in self.slices:
            enough = [small for own, small in versions if own >= 2 * snr]
            good += [(name, small) for small in enough[:1]]
        return even_choice(good, count or self.count)

    def complexed(self, image, rng):
        n = max(image.shape)
        return image * simulate.phase(rng, n)[: image.shape[0], : image.shape[1]]

    def noisy(self, image, snr, seed):
        """(noisy, clean): complex, noise of 1."""
        rng = np.random.default_rng((SEED, seed, int(10 * snr)))
        clean = snr * self.complexed(image, rng)
        return measures.noisy_version(rng, clean, 1), clean


def spread(values):
    return dict(mean=round(float(np.mean(values)), 3), worst=round(float(np.min(values)), 3), n=len(values))


def gains(bench):
    """PSNR gain over the conventional image, complex and of magnitudes."""
    result = {}
    for kind, of_snr in (
        ('real', bench.real),
        (
            'simulated',
            lambda snr: [(i['name'], i['image']) for i in even_choice([i for i in bench.simulated], bench.count)],
        ),
        ('brain', lambda snr: [(i['name'], i['image']) for i in even_choice(bench.brains, bench.count // 2)]),
    ):
        for snr in (3, 5, 10, 20, 40, 100):
            pairs = [(bench.noisy(image, snr, k)) for k, (_, image) in enumerate(of_snr(snr))]
            if not pairs:
                continue
            cleaned = [bench.denoise(noisy, 1) for noisy, _ in pairs]
            result[f'{kind} {snr}'] = dict(
                complex=spread([measures.gain_db(n, d, c) for (n, c), d in zip(pairs, cleaned)]),
                magnitude=spread([measures.gain_db(abs(n), abs(d), abs(c)) for (n, c), d in zip(pairs, cleaned)]),
            )
    return result


def against_classical(bench):
    """Gain over the best classical filter of each image, both tuned with the truth in hand, dB."""
    result = {}
    count = 3 if bench.options.quick else 6
    for kind in ('real', 'simulated'):
        for snr in (5, 10, 20):
            images = (
                [image for _, image in bench.real(snr, count)]
                if kind == 'real'
                else [i['image'] for i in even_choice(bench.simulated, count)]
            )
            margins, each = [], {}
            for k, image in enumerate(images):
                noisy, clean = bench.noisy(image[:224, :224], snr, k)
                own = measures.gain_db(noisy, bench.denoise(noisy, 1), clean)
                filtered = classical.tuned(noisy, clean, 1, with_bm3d=k % 2 == 0)
                others = {name: measures.gain_db(noisy, f, clean) for name, f in filtered.items()}
                for name, value in dict(network=own, **others).items():
                    each.setdefault(name, []).append(value)
                margins.append(own - max(others.values()))
            result[f'{kind} {snr}'] = dict(
                margin=spread(margins), gains={name: round(float(np.mean(v)), 2) for name, v in each.items()}
            )
    return result


def unaliased(bench):
    """nRMSE of accelerated scans of full-data SNR 12: as they are, denoised, BART's L1-wavelet at its best weight."""
    result = {}
    images = [('real', i) for _, i in bench.real(12, 2 if bench.options.quick else 6)]
    images += [('simulated', i['image']) for i in even_choice(bench.simulated, 2 if bench.options.quick else 6)]
    for acceleration in (2, 3, 4):
        rows = []
        for k, (kind, image) in enumerate(images):
            rng = np.random.default_rng((SEED, k, acceleration))
            scan = unaliasing.Scan(rng, 12 * bench.complexed(image[:300, :300], rng), acceleration)
            plain, noise = scan.sense(scan.maps)
            cleaned = bench.denoise(plain, noise)
            row = dict(kind=kind, plain=measures.nrmse(plain, scan.truth), denoised=measures.nrmse(cleaned, scan.truth))
            row['g'] = float(np.median(noise) / np.sqrt(acceleration))
            if k % 3 == 0 and acceleration < 4:

                def fitted(image):
                    return measures.nrmse(image * (np.vdot(image, scan.truth) / np.vdot(image, image)), scan.truth)

                row['wavelet'] = min(
                    fitted(scan.bart(scan.maps, '-R', f'W:3:0:{weight}', '-i25')) for weight in (0.5, 1, 2)
                )
            rows.append(row)
        for kind in ('real', 'simulated'):
            mine = [r for r in rows if r['kind'] == kind]
            reduction = [100 * (1 - r['denoised'] / r['plain']) for r in mine]
            compared = [r for r in mine if 'wavelet' in r]
            result[f'R={acceleration} {kind}'] = dict(
                g=round(float(np.mean([r['g'] for r in mine])), 2),
                plain=round(float(np.mean([r['plain'] for r in mine])), 4),
                denoised=round(float(np.mean([r['denoised'] for r in mine])), 4),
                reductionPercent=spread(reduction),
                wavelet=round(float(np.mean([r['wavelet'] for r in compared])), 4) if compared else None,
                denoisedSame=round(float(np.mean([r['denoised'] for r in compared])), 4) if compared else None,
            )
    return result


def data_consistency(bench):
    """nRMSE of magnitudes: unaliased, denoised, denoised and made consistent, twice; true and estimated coil maps."""
    result = {}
    images = [i['image'] for i in even_choice(bench.simulated, 2 if bench.options.quick else 4)] + [
        i for _, i in bench.real(12, 2)
    ]
    for acceleration in (2, 3, 4):
        for kind in ('true', 'estimated'):
            rows = []
            for k, image in enumerate(images):
                rng = np.random.default_rng((SEED, 50 + k, acceleration))
                scan = unaliasing.Scan(rng, 12 * bench.complexed(image[:240, :240], rng), acceleration)
                maps = scan.maps if kind == 'true' else scan.estimated_maps()
                truth = np.abs(scan.truth)
                plain, noise = scan.sense(maps)
                cleaned = bench.denoise(plain, noise)
                error = lambda image: measures.nrmse(np.abs(image), truth)
                row = dict(plain=error(plain), denoised=error(cleaned))
                for weight in (1, 3, 10):
                    consistent = scan.data_consistent(maps, cleaned, weight)
                    row[f'consistent {weight}'] = error(consistent)
                rows.append(row)
            result[f'R={acceleration} {kind} maps'] = {
                key: round(float(np.mean([r[key] for r in rows])), 4) for key in rows[0]
            }
    return result


def must_not(bench):
    """What must not happen: bias, wide edges, lost inserts, structure in the residual, structure from noise."""
    rng = np.random.default_rng(SEED)
    denoise = bench.denoise
    result = dict(
        flatBiasPercent={f'SNR {snr}': round(100 * measures.flat_bias(denoise, rng, snr), 3) for snr in (5, 10, 20, 60)}
    )
    result['edgeWidthPx'] = {}
    for cnr in (6, 8, 20, 60, 200):
        before, after = measures.edge_width(denoise, rng, cnr)
        result['edgeWidthPx'][f'CNR {cnr}'] = dict(before=round(before, 2), after=round(after, 2))
    result['insertContrast'] = {
        f'{int(100 * contrast)} % radius {radius}': round(
            float(measures.insert_contrast(denoise, rng, radius, contrast)), 3
        )
        for contrast in (0.5, 0.25)
        for radius in (2, 3, 5)
    }
    std, largest = measures.pure_noise(denoise, rng)
    result['pureNoise'] = dict(std=round(std, 4), largest=round(largest, 3))
    change = []
    for k, (_, image) in enumerate(bench.real(20, 8)):
        clean = 60 * bench.complexed(image, np.random.default_rng((SEED, k)))
        change.append(measures.nrmse(denoise(clean, 1), clean))
    change += [
        measures.nrmse(denoise(60 * i['image'].astype(np.complex64), 1), 60 * i['image'])
        for i in even_choice(bench.simulated, 8)
    ]
    result['noiseFreeChangePercent'] = dict(
        mean=round(100 * float(np.mean(change)), 3), largest=round(100 * float(np.max(change)), 3)
    )
    scale = []
    for factor in (1e-6, 1e6):
        noisy, _ = bench.noisy(bench.simulated[0]['image'] if bench.simulated else bench.brains[0]['image'], 10, 0)
        scale.append(measures.nrmse(denoise(noisy * factor, factor) / factor, denoise(noisy, 1)))
    result['scaleEquivariance'] = float(np.max(scale))
    return result


def contrasts(bench):
    """nRMSE before and after by contrast, field strength and SNR, with the case in which it fell least."""
    groups = {}
    for i in bench.simulated:
        groups.setdefault(i['group'], []).append(i['image'])
    groups['brain T1w (CIT168)'] = [i['image'] for i in bench.brains]
    rng = np.random.default_rng(SEED)
    groups['phantom of shapes'] = [simulate.shapes_image(rng) for _ in range(6)]
    second = sorted((bench.options.data / 'spine-mr' / 'spider-lumbar-t1t2' / 'images').iterdir())
    groups['spider-lumbar-t1t2, real T1w and T2w'] = [
        data.scaled(data.cropped(np.flipud(data.grey(p))), 1.7) for p in second
    ]
    result = {}
    for group, images in groups.items():
        for snr in (5, 10, 20, 40, 100, 200):
            chosen = [i for i in images if not group.startswith('spider') or data.own_snr(i) >= 2 * snr]
            pairs = [bench.noisy(i, snr, 900 + k) for k, i in enumerate(even_choice(chosen, 6))]
            if pairs:
                ratio = [measures.nrmse(bench.denoise(n, 1), c) / measures.nrmse(n, c) for n, c in pairs]
                result[f'{group} SNR {snr}'] = dict(
                    ratio=round(float(np.mean(ratio)), 3), largest=round(float(np.max(ratio)), 3), n=len(ratio)
                )
    return result


def trust(bench):
    """Residual statistics on healthy data: percentiles for the thresholds of the traffic light."""
    result = {}
    for snr in (3, 5, 7, 10, 15, 20, 30, 50, 100):
        images = (
            [i for _, i in bench.real(min(snr, 20), 16)]
            + [i['image'] for i in even_choice(bench.simulated, 12)]
            + [i['image'] for i in even_choice(bench.brains, 6)]
        )
        found = []
        for k, image in enumerate(images):
            noisy, clean = bench.noisy(image, snr, 300 + k)
            found.append(measures.noise_likeness(noisy, bench.denoise(noisy, 1), 1, clean))
        result[f'SNR {snr}'] = {
            key: dict(
                zip(
                    ('p1', 'p5', 'median', 'p95', 'p99'),
                    np.round(np.percentile([f[key] for f in found], (1, 5, 50, 95, 99)), 4).tolist(),
                )
            )
            for key in ('std', 'image', 'edges')
        }
        result[f'SNR {snr}']['imageMeanMagnitude'] = round(float(np.mean([abs(f['image']) for f in found])), 4)
        result[f'SNR {snr}']['n'] = len(found)
    return result


SECTIONS = dict(
    gains=gains,
    mustNot=must_not,
    contrasts=contrasts,
    trust=trust,
    unaliased=unaliased,
    dataConsistency=data_consistency,
    classical=against_classical,
)


def markdown(results):
    """Every section as a table."""
    lines = []
    for section, rows in results.items():
        lines += [
            '',
            f'## {section}',
            '',
            f'{(SECTIONS[section].__doc__ or "").strip()}',
            '',
            '| case | measured |',
            '|---|---|',
        ]
        lines += [f'| {key} | {json.dumps(value).replace(chr(34), "").strip("{}")} |' for key, value in rows.items()]
    return '\n'.join(lines).strip() + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cache', type=pathlib.Path, required=True)
    parser.add_argument('--data', type=pathlib.Path, required=True)
    parser.add_argument('--model', type=pathlib.Path, required=True)
    parser.add_argument('--out', type=pathlib.Path, required=True)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--only', choices=list(SECTIONS), nargs='*', default=list(SECTIONS))
    options = parser.parse_args()
    bench = Bench(options)
    stored = options.out / 'evaluation.json'
    results = json.loads(stored.read_text()) if stored.exists() else {}
    for name in options.only:
        began = time.process_time()
        results[name] = SECTIONS[name](bench)
        print(name, round(time.process_time() - began), 's', json.dumps(results[name]), flush=True)
        stored.write_text(json.dumps(results, indent=1) + '\n')
    (options.out / 'evaluation.md').write_text(markdown(results))
    if 'trust' in results:
        (options.out / 'trust.json').write_text(json.dumps(results['trust'], indent=1) + '\n')


if __name__ == '__main__':
    main()
