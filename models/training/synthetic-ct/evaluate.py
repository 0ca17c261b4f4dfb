"""What the synthetic CT does on patients that it never saw.

    python3 evaluate.py --simulated HELD_OUT... --labelled LABELLED/test --maps ../../synthesis-maps/model.onnx \\
        --model ../../synthetic-ct/model.onnx --out ../../synthetic-ct

End to end: images with noise, shading, blur and shifts, the maps that the maps network makes of them, the Hounsfield units that
this network makes of both; and once more with the true maps in place of those. Writes evaluation.json and panel.png.

  body        true HU above -900
  bone        true HU above 150
  vertebrae   labels of bodies and arches
  lengths     lengths.py, from synthetic over from true HU
"""
import argparse
import json
import time
from pathlib import Path
import numpy as np
import torch
import lengths
from data import Coarser, painted, true_maps
from maps import maps_function, runtime

SEED = 4713
BONE_HU, BODY_HU = 150, -900
GROUPS = ('body', 'bone', 'vertebrae', 'bodies', 'air')


class Tally:
    """Errors of one kind of data with one kind of maps."""

    def __init__(self):
        self.error, self.bias, self.inside, self.width = ({group: [] for group in GROUPS} for _ in range(4))
        self.lengths = {}

    def add(self, hounsfield, width, truth, label):
        masks = dict(body=truth > BODY_HU, bone=truth > BONE_HU, vertebrae=(label >= 100) & (label < 232), bodies=(label >= 100) & (label < 132), air=truth <= BODY_HU)
        for group, mask in masks.items():
            if mask.sum() > 200:
                difference = (hounsfield - truth)[mask]
                self.error[group].append(float(np.abs(difference).mean()))
                self.bias[group].append(float(difference.mean()))
                self.inside[group].append(float((np.abs(difference) <= width[mask]).mean()))
                self.width[group].append(float(np.median(width[mask])))

    def add_lengths(self, found):
        for one in found:
            if one['mm'][0] is not None:
                self.lengths.setdefault(one['kind'], []).append(one['mm'])

    def summary(self):
        of = lambda values: round(float(np.mean(values)), 3)
        result = {}
        for group in GROUPS:
            if self.error[group]:
                result[group] = dict(
                    slices=len(self.error[group]), maeHu=of(self.error[group]), worstSliceMaeHu=round(max(self.error[group]), 1),
                    biasHu=of(self.bias[group]), inInterval=of(self.inside[group]), medianHalfWidthHu=of(self.width[group]),
                )
        for kind, pairs in self.lengths.items():
            both = np.array([pair for pair in pairs if pair[1] is not None])
            relative = 100 * (both[:, 1] / both[:, 0] - 1) if len(both) else np.zeros(0)
            at = lambda q: round(float(np.percentile(np.abs(relative), q)), 2) if len(both) else None
            result[kind] = dict(
                count=len(pairs), notFound=len(pairs) - len(both), medianTrueMm=round(float(np.median([pair[0] for pair in pairs])), 1),
                meanErrorPercent=round(float(relative.mean()), 2) if len(both) else None, medianAbsolutePercent=at(50), p95AbsolutePercent=at(95),
                within5Percent=round(float(np.sum(np.abs(relative) <= 5) / len(pairs)), 3),
            )
        return result


def picture(rows, path):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    titles = ('T1w', 'T2w', 'true HU', 'synthetic HU', 'synthetic - true', 'half width of the 90 % interval')
    figure, axes = plt.subplots(len(rows), 6, figsize=(18, 3 * len(rows)))
    for number, (images, truth, hounsfield, width) in enumerate(rows):
        shown = ((images[0], 0, 3), (images[1], 0, 3.5), (truth, -250, 900), (hounsfield, -250, 900), (hounsfield - truth, -400, 400), (width, 0, 600))
        for axis, title, (image, least, most) in zip(axes[number], titles, shown):
            axis.imshow(image, vmin=least, vmax=most, cmap='gray')
            axis.axis('off')
            if number == 0:
                axis.set_title(title, fontsize=9)
    figure.subplots_adjust(0, 0, 1, 0.98, 0.01, 0.01)
    figure.savefig(path, dpi=70)
    plt.close(figure)


def latency(session, n=5):
    """Of one slice of 320 x 320 on one thread, processor time in ms."""
    images, maps = np.ones((1, 2, 320, 320), np.float32), np.zeros((1, 4, 320, 320), np.float32)
    times = []
    for _ in range(n):
        start = time.process_time()
        session.run(None, {'images': images, 'maps': maps})
        times.append(1000 * (time.process_time() - start))
    return round(float(np.median(times)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--simulated', type=Path, nargs='+', required=True)
    parser.add_argument('--labelled', type=Path, required=True)
    for name in ('maps', 'model', 'out'):
        parser.add_argument(f'--{name}', type=Path, required=True)
    parser.add_argument('--slices', type=int, default=60, help='of the simulated patients, drawn from all')
    options = parser.parse_args()
    torch.set_num_threads(1)
    maps_of, session = maps_function(options.maps), runtime(options.model)
    order = np.random.default_rng(SEED)
    tallies, rows, sets = {}, [], {}
    for kind, folders, most in (('simulated', options.simulated, options.slices), ('labelled CT', [options.labelled], 24)):
        sources = [Coarser(folder) for folder in folders]
        # Patients of training have seeds of 1000 to 1999.
        places = [(cases, index) for cases in sources for index in range(len(cases)) if cases.slices[index][0]['seed'] >= 2000]
        places = [places[k] for k in order.permutation(len(places))[:most]]
        sets[kind] = dict(slices=len(places), patients=len({cases.slices[index][0]['seed'] for cases, index in places}))
        for number, (cases, index) in enumerate(places):
            patient, sample, _ = cases.slices[index]
            one = painted.make(cases, index, np.random.default_rng((SEED, patient['seed'], index)), painted.Options(third='none', lesions=False))
            truth, label = cases.image(index, 'hounsfield'), cases.image(index, 'label')
            images, found = one['images'][None], {}
            for name, maps in (('end to end', maps_of(images, one['exam'][None])), ('true maps', true_maps(one['truth'])[None])):
                hounsfield, spread = (output[0, 0] for output in session.run(None, {'images': images[:, :2], 'maps': maps}))
                hounsfield = np.round(np.clip(hounsfield, -1024, 3071))
                width = np.exp(spread)
                tallies.setdefault((kind, name), Tally()).add(hounsfield, width, truth, label)
                found[name] = hounsfield
                if name == 'end to end' and len(rows) < (5 if kind == 'simulated' else 8) and (number % 3 == 0 or kind != 'simulated'):
                    rows.append((images[0], truth, hounsfield, width))
            measured = lengths.measure([truth, found['end to end'], found['true maps']], label, sample['pixelMm'], sample['orientation'])
            for k, name in ((1, 'end to end'), (2, 'true maps')):
                tallies[kind, name].add_lengths([{**one_length, 'mm': [one_length['mm'][0], one_length['mm'][k]]} for one_length in measured])
    results = {f'{kind}, {name}': tally.summary() for (kind, name), tally in tallies.items()}
    result = dict(sets=sets, results=results, oneThreadCpuMs320=latency(session))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / 'evaluation.json').write_text(json.dumps(result, indent=1) + '\n')
    picture(rows, options.out / 'panel.png')
    print(json.dumps(result, indent=1))


if __name__ == '__main__':
    main()
