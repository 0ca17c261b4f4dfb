"""Training batches, made on the device that learns: slices whose tissues and sequences are drawn anew at every use, as a scanner would
deliver them.

`Slices` holds what the pixels of each slice are made of (paint.ts --as shares); `Scanner.draw` makes a batch of them:

    tissues    another person's about the patient's, mild forms of lesions, sequences: the distributions of paint.ts
    painting   image = sum over a pixel's tissues of share x signal, water and fat apart, the fat shifted along the readout
    lesions    round ones painted into vertebral bodies, in part of the slices
    faults     in the last slices of a batch, where asked for: what one image shows and the other does not, and wrong echo times
    delivery   shading and its removal, noise, blur, misregistration, gain: the distributions of data.py, slice for slice its `make`

data.py makes the same of painted images one at a time: what is measured on the bank stays the same whatever training does. `check.py` holds
the painting against paint.ts. Nothing here waits for the device: what differs from slice to slice is a tensor [n, 1, 1].
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

import data
import signals

TISSUES_A_PIXEL = 4
WHOLE_SHARE = 255
IN_BODY, IN_LESION = 1, 2
# How often a batch has a third image, a known scale, lesions painted on top.
DIXON_SHARE, FAT_SUPPRESSED_SHARE, KNOWN_SHARE, LESIONED_SHARE = 0.27, 0.33, 0.5, 0.4
MOST_LESIONS = 3
LEAST_BODY_PIXELS = 200
# Of faulty slices: how often something is in one image only, how often that is a part of the image from elsewhere, and how often the echo time is wrong.
FAULT_SHARE, PATCH_SHARE, ECHO_TIME_SHARE = 0.8, 0.3, 0.5
FARTHEST_ECHO_TIME_MS = 25
# What is changed by less than this part cannot be seen.
LEAST_CHANGE = 0.15


class Slices:
    """All slices of the patients in a folder whose seeds `keep` takes, on a device; `take_up` adds those painted since."""

    def __init__(self, folder, device, keep=lambda seed: True):
        self.folder, self.device, self.keep = pathlib.Path(folder), device, keep
        self.seen = set()
        self.stored, self.about = None, None
        self.take_up()

    def __len__(self):
        return 0 if self.stored is None else len(self.stored)

    @property
    def patients(self):
        return len(self.seen)

    def take_up(self):
        found = sorted((path for path in self.folder.glob('*.json') if path not in self.seen and self.keep(int(path.stem))), key=lambda path: int(path.stem))
        if not found:
            return
        stored, rows = [], []
        for path in found:
            self.seen.add(path)
            patient = json.loads(path.read_text())
            n = patient['matrix']
            stored.append(torch.from_numpy(np.fromfile(path.with_suffix('.bin'), np.uint8).reshape(-1, 2 * TISSUES_A_PIXEL + 1, n, n)).to(self.device))
            rows += [self.row(patient, sample) for sample in patient['samples']]
        about = {key: torch.from_numpy(np.stack([row[key] for row in rows])).to(self.device) for key in rows[0]}
        self.stored = torch.cat(([] if self.stored is None else [self.stored]) + stored)
        self.about = about if self.about is None else {key: torch.cat((self.about[key], about[key])) for key in about}

    @staticmethod
    def row(patient, sample):
        """Numbers of a slice: its patient's tissues and fat, which tissues are lesions in which, field strength, size of a pixel."""
        return dict(
            tissues=np.float32(patient['tissues']), mild=np.int64(patient['mildForms']), fat=np.float32([patient['fat'][key] for key in ('t1Ms', 't2Ms')]),
            field=np.float32(patient['fieldStrengthT']), pixelMm=np.float32(sample['pixelMm']),
        )


def varied(tissues, mild, width, uniform, normal):
    """Tissues [n, tissues, 4] of other persons, `width` [n, 1] times as far from these as a wide prior has it (varyTissues of paint.ts)."""
    count = tissues.shape[:2]
    factor = lambda deviation: torch.exp(normal(*count).clamp(-2.2, 2.2) * deviation * width)
    pd, t1, t2, ff = tissues.unbind(2)
    odds = ff / (1 - ff) * factor(0.45)
    ff = torch.where(ff > 0.02, odds / (1 + odds), ff)
    full = torch.stack(((pd * factor(0.07)).clamp_max(1.05), t1 * factor(0.13), t2 * factor(0.18), ff), 2)
    lesion, around = (mild[:, :, k, None].expand(-1, -1, 4) for k in (0, 1))
    share = 1 - width.clamp_max(1) * 0.75 * uniform(0, 1, *mild.shape[:2]) ** 1.5
    mixed = full.gather(1, around) + share[:, :, None] * (full.gather(1, lesion) - full.gather(1, around))
    return full.scatter(1, lesion, mixed)


def drawn_sequences(field, uniform, normal):
    """Sequences of each contrast as signals.py names them, [n, 1, 1] (drawSequences of paint.ts)."""
    one = lambda low, high: uniform(low, high, len(field), 1, 1)
    angle = torch.deg2rad(one(130, 180))

    def sequence(tr, te, etl):
        return dict(tr=one(*tr), te=one(*te), etl=torch.round(one(*etl)), esp=one(7, 12), angle=angle, ti=torch.zeros_like(angle))

    sequences = dict(
        t1w=sequence((400, 850), (7, 15), (2, 5)), t2w=sequence((2500, 6000), (75, 125), (12, 24)),
        t2fs=sequence((2500, 6000), (50, 100), (10, 20)), stir=sequence((3500, 6500), (30, 75), (8, 16)),
    )
    sequences['stir']['ti'] = signals.nulling_inversion_time(signals.fat_times(field)['t1'], sequences['stir']) + 8 * normal(len(field), 1, 1)
    return sequences


def shifted(images, rows, columns):
    """Images [n, rows, columns] moved by so many pixels down and to the right ([n, 1, 1] each), linearly; edges go on."""
    n, height, width = images.shape
    y = torch.arange(height, device=images.device, dtype=torch.float32)[:, None] - rows
    x = torch.arange(width, device=images.device, dtype=torch.float32)[None, :] - columns
    grid = torch.stack(torch.broadcast_tensors(2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1), 3).expand(n, -1, -1, -1)
    return F.grid_sample(images[:, None], grid, mode='bilinear', padding_mode='border', align_corners=True)[:, 0]


def blurred(images, rows, columns, radius):
    """Images [n, rows, columns] convolved with Gaussians of these standard deviations in pixels ([n] each; 0: as it is), cut at `radius`."""
    offset = torch.arange(-radius, radius + 1, device=images.device, dtype=torch.float32)
    n = len(images)
    kernel = lambda sigma: F.normalize(torch.exp(-0.5 * (offset / sigma[:, None].clamp_min(0.01)) ** 2), p=1, dim=1)
    padded = F.pad(images[None], (radius,) * 4, mode='replicate')
    down = F.conv2d(padded, kernel(rows).view(n, 1, -1, 1), groups=n)
    return F.conv2d(down, kernel(columns).view(n, 1, 1, -1), groups=n)[0]


def painted(stored, tissues, sequences, contrasts, fat_shift):
    """Truth by name of slices `stored` [n, 9, rows, columns] whose tissues are these, [n, rows, columns] each; the fat of the acquired images
    shifted by `fat_shift` [n, 2] columns."""
    pd, t1, t2, ff = (each[:, None] for each in tissues.unbind(2))
    water, fat = {}, {}
    for name, contrast in contrasts.items():
        water[name], fat[name] = contrast.water_and_fat(pd, t1, t2, ff)
    moist = pd * (1 - ff)
    values = torch.cat((
        water['t1w'], fat['t1w'], water['t2w'], fat['t2w'], water['stir'] + fat['stir'], water['t2fs'] + fat['t2fs'],
        pd, pd * ff, moist, moist * t1, moist * t2,
    ), 1)
    n, _, height, width = stored.shape
    flat = stored.flatten(2)
    image = 0
    for k in range(TISSUES_A_PIXEL):
        share = flat[:, TISSUES_A_PIXEL + k, None].float() / WHOLE_SHARE
        image = image + share * values.gather(2, flat[:, k, None].long().expand(-1, values.shape[1], -1))
    w1, f1, w2, f2, stir, t2fs, pd, fat, moist, t1, t2 = image.view(n, -1, height, width).unbind(1)
    ratio = lambda a, b: torch.where(b > 1e-3, a / b.clamp_min(1e-3), torch.zeros_like(a))
    none = torch.zeros_like(fat_shift[:, :1, None])
    marks = stored[:, 2 * TISSUES_A_PIXEL]
    return dict(
        protonDensity=pd, t1Ms=ratio(t1, moist), t2Ms=ratio(t2, moist), fatFraction=ratio(fat, pd),
        t1w=w1 + shifted(f1, none, fat_shift[:, 0, None, None]), t2w=w2 + shifted(f2, none, fat_shift[:, 1, None, None]), stir=stir, t2fs=t2fs,
        body=(marks & IN_BODY).float(), lesion=((marks & IN_LESION) > 0).float(),
    )


class Scanner:
    """Batches of `slices`; all draws are `generator`'s."""

    def __init__(self, slices, generator):
        self.slices, self.generator = slices, generator
        n, device = data.MATRIX, slices.device
        tensor = lambda array: torch.from_numpy(np.ascontiguousarray(array)).to(device)
        self.u, self.v = tensor(data.U), tensor(data.V)
        self.polynomial, self.coarse = tensor(data.POLYNOMIAL), tensor(data.COARSE).double()
        # ndimage.zoom of a few numbers to a line of pixels is linear in them.
        self.hills = tensor(np.float32(ndimage.zoom(np.eye(4), (n / 4, 1), order=3)))

    def uniform(self, low, high, *shape):
        return low + (high - low) * torch.rand(shape, generator=self.generator, device=self.slices.device)

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator, device=self.slices.device)

    def chance(self, share, n):
        return self.uniform(0, 1, n) < share

    def draw(self, size, options=data.Options(), faulty=0):
        """A dict: `images` [n, 4, rows, columns], `exam` [n, 18], `truth` by name (signals per equilibrium magnetisation, without shading and
        noise; STIR signed), `sequences`, `contrasts` (signals.Contrast), `target` [n, 8] (sequences of the missing ones), `field` [n] (T), `coarse`; of the last
        `faulty` of the n slices `fault` [n, rows / 2, columns / 2] (1 where only one image shows what it does) and `echo` [n] (ln of T2w's echo time as
        told over the true one), 0 of the others. `truth` is what there would be without the faults."""
        slices, device = self.slices, self.slices.device
        chosen = torch.randint(len(slices), (size,), generator=self.generator, device=device)
        about = {key: values[chosen] for key, values in slices.about.items()}
        tissues = varied(about['tissues'], about['mild'], self.uniform(0, 1.2, size, 1), self.uniform, self.normal)
        sequences = drawn_sequences(about['field'], self.uniform, self.normal)
        fat = {key: about['fat'][:, k, None, None] for k, key in enumerate(('t1', 't2'))}
        truth = painted(slices.stored[chosen], tissues, sequences, signals.contrasts(sequences, fat), self.uniform(0, 1.6, size, 2))
        # The network, who does not know the person's fat, has an average one's.
        contrasts = signals.contrasts(sequences, signals.fat_times(about['field']))
        truth['painted'] = torch.zeros_like(truth['body'])
        if options.lesions is not False:
            self.paint_lesions(truth, contrasts, about['pixelMm'][:, None, None])
        shown, fault, echo = self.plant_faults(truth, sequences, about['pixelMm'], faulty)
        batch = self.deliver(truth, shown, sequences, about, options)
        batch['exam'][:, 4] += echo
        return dict(batch, fault=fault, echo=echo, sequences=sequences, contrasts=contrasts, target=target_vector(sequences), field=about['field'])

    def plant_faults(self, truth, sequences, pixel_mm, faulty):
        """Of slices of which the last `faulty` have faults: the truth as it is measured ([n, rows, columns] by name), where what only one image shows is
        ([n, rows / 2, columns / 2], 0 or 1), and what ln TE of T2w is told wrong by ([n]). faults.py has those that the gate is measured on; these
        are more various. `pixel_mm` [n]."""
        size, height, width = truth['body'].shape
        fault, echo = torch.zeros((size, height // 2, width // 2), device=pixel_mm.device), torch.zeros(size, device=pixel_mm.device)
        if not faulty:
            return truth, fault, echo
        one = lambda low, high: self.uniform(low, high, faulty, 1, 1)
        last = slice(size - faulty, size)
        pixel_mm = pixel_mm[last, None, None]
        images = torch.stack((truth['t1w'][last].abs(), truth['t2w'][last].abs()), 1)
        is_second = one(0, 1) < 0.5
        image = torch.where(is_second, images[:, 1], images[:, 0])
        tissue = images[:, 1] > 0.03
        y, x = torch.arange(height, device=pixel_mm.device)[:, None], torch.arange(width, device=pixel_mm.device)[None, :]
        place = (tissue * self.uniform(0.5, 1, faulty, height, width)).flatten(1).argmax(1)[:, None, None]
        down, right = y - torch.div(place, width, rounding_mode='floor'), x - place % width
        # A blob.
        stretch, turn = one(0.75, 1.33), one(0, np.pi)
        along, across = down * torch.cos(turn) + right * torch.sin(turn), right * torch.cos(turn) - down * torch.sin(turn)
        share = ((one(3, 9) / pixel_mm - torch.hypot(along * stretch, across / stretch)) / one(1, 3.5) + 0.5).clamp(0, 1)
        change, around = one(0.25, 0.9), torch.nanmedian(torch.where(tissue, image, torch.full_like(image, float('nan'))).flatten(1), 1).values[:, None, None]
        brighter = torch.where(one(0, 1) < 0.5, image + share * change * torch.maximum(image, torch.nan_to_num(around)), image * (1 - share * change))
        # A part of the image from elsewhere.
        within = torch.maximum(down.abs(), right.abs()) < one(10, 25) / pixel_mm
        from_y, from_x = ((line + torch.floor(one(0.1, 0.9) * length)).long() % length for line, length in ((y, height), (x, width)))
        elsewhere = image.flatten(1).gather(1, (from_y * width + from_x).flatten(1)).view_as(image)
        changed = torch.where(one(0, 1) < PATCH_SHARE, torch.where(within, elsewhere, image), brighter)
        changed = torch.where(one(0, 1) < FAULT_SHARE, changed, image)
        seen = ((changed - image).abs() > LEAST_CHANGE * torch.maximum(changed, image)) & (torch.maximum(changed, image) > 0.03)
        fault[last] = (F.avg_pool2d(seen.float()[:, None], 2)[:, 0] > 0.4).float()
        shown = dict(truth)
        for name, is_this in (('t1w', ~is_second), ('t2w', is_second)):
            shown[name] = torch.cat((truth[name][: size - faulty], torch.where(is_this, changed, truth[name][last].abs())))
        te = sequences['t2w']['te'][last, 0, 0]
        wrong = self.uniform(-FARTHEST_ECHO_TIME_MS, FARTHEST_ECHO_TIME_MS, faulty) * self.chance(ECHO_TIME_SHARE, faulty)
        echo[last] = torch.log((te + wrong) / te)
        return shown, fault, echo

    def paint_lesions(self, truth, contrasts, pixel_mm):
        """Paints round lesions into vertebral bodies of some slices: in the images by the signal equation, in the true maps, and into a mask."""
        size, height, width = truth['body'].shape
        one = lambda low, high: self.uniform(low, high, size, 1, 1)
        inner = blurred(truth['body'], *torch.full((2, size), 1.2, device=pixel_mm.device), radius=5) > 0.75
        has_body = truth['body'].sum((1, 2)) >= LEAST_BODY_PIXELS
        count = torch.where(self.chance(LESIONED_SHARE, size) & has_body, torch.floor(self.uniform(1, MOST_LESIONS + 1, size)), torch.zeros(size, device=pixel_mm.device))
        y, x = torch.arange(height, device=pixel_mm.device)[:, None], torch.arange(width, device=pixel_mm.device)[None, :]
        for turn in range(MOST_LESIONS):
            place = (truth['body'] * self.uniform(0.5, 1, size, height, width)).flatten(1).argmax(1)[:, None, None]
            stretch, radius = one(0.6, 1.6), one(2.5, 10) / pixel_mm
            distance = torch.hypot((y - torch.div(place, width, rounding_mode='floor')) * stretch, (x - place % width) / stretch)
            share = ((radius - distance) / one(1, 5) + 0.5).clamp(0, 1) * inner * one(0.35, 1) * (count > turn)[:, None, None]
            kind = one(0, 1)
            # Oedema or tumour, fatty marrow, sclerosis: proton density, T1, T2, fat fraction.
            ranges = (((0.82, 0.98), (950, 1700), (48, 115), (0, 0.35)), ((0.85, 0.98), (800, 1200), (30, 110), (0.5, 0.9)), ((0.25, 0.6), (700, 1200), (12, 35), (0, 0.3)))
            drawn = [[one(*ends) for ends in row] for row in ranges]
            pd, t1, t2, ff = (torch.where(kind < 0.6, a, torch.where(kind < 0.8, b, c)) for a, b, c in zip(*drawn))
            for name, contrast in contrasts.items():
                truth[name] = truth[name] + share * (sum(contrast.water_and_fat(pd, t1, t2, ff)) - truth[name])
            old_pd, old_ff = truth['protonDensity'], truth['fatFraction']
            old_water, water = old_pd * (1 - old_ff) * (1 - share), pd * (1 - ff) * share
            whole = (old_water + water).clamp_min(1e-4)
            truth['t1Ms'] = (truth['t1Ms'] * old_water + t1 * water) / whole
            truth['t2Ms'] = (truth['t2Ms'] * old_water + t2 * water) / whole
            truth['protonDensity'] = old_pd * (1 - share) + pd * share
            truth['fatFraction'] = (old_pd * old_ff * (1 - share) + pd * ff * share) / truth['protonDensity'].clamp_min(1e-4)
            truth['painted'] = torch.maximum(truth['painted'], share)

    def deliver(self, truth, shown, sequences, about, options):
        """Images, exam and truth of a batch; `shown`: the truth with what is measured wrong."""
        size, pixel_mm = len(about['pixelMm']), about['pixelMm']
        known = self.chance(KNOWN_SHARE, size) if options.known is None else self.chance(float(options.known), size)
        third = self.uniform(0, 1, size)
        has_dixon = third < DIXON_SHARE if options.third is None else self.chance(float(options.third == 'dixon'), size)
        has_suppressed = third > 1 - FAT_SUPPRESSED_SHARE if options.third is None else self.chance(float(options.third == 'fatsat'), size)
        if options.coarse and options.left_out is None:
            has_t1w = self.chance(0.5, size)
            has_t2w = ~has_t1w
        else:
            has_t1w, has_t2w = (self.chance(float(options.left_out != name), size) for name in ('t1w', 't2w'))

        measured = self.measure(shown, known)
        field, inside = self.fitted_field(measured[:, 0], measured[:, 1])
        measured = measured / field[:, None]
        sampled = measured[:, :, :: data.STEP, :: data.STEP].flatten(2)
        means = (sampled * inside[:, None]).sum(2) / inside.sum(1, keepdim=True).clamp_min(1)
        means = torch.where(inside.any(1, keepdim=True), means, sampled.mean(2)).clamp_min(1e-3)
        # Elsewhere than in training the mean is over another field of view.
        means = means * torch.exp(options.jitter * self.normal(size, 3))

        present = torch.stack((has_t1w, has_t2w, has_suppressed), 1).float()
        t1w, t2w, suppressed = (measured * (present / means)[:, :, None, None]).unbind(1)
        soft = blurred(truth['fatFraction'], *torch.full((2, size), 0.6, device=means.device), radius=2)
        fat = (soft + 0.03 * self.normal(*soft.shape)).clamp(0, 1) * (truth['protonDensity'] > 0.05) * has_dixon[:, None, None]
        images = torch.stack((t1w, t2w, fat, suppressed), 1)
        told = 0.02 * self.normal(size, 2) + torch.log(means[:, 1:] / means[:, :-1])
        has_scale, has_suppressed_scale = known & has_t1w & has_t2w, known & has_suppressed & has_t2w
        truth['weight'] = torch.where(truth['protonDensity'] < 0.05, 0.03, 1.0) * (1 + 2 * ((truth['lesion'] > 0) | (truth['painted'] > 0.3)).float()) * (1 + truth['body'])
        if options.coarse:
            images = F.avg_pool2d(images, 2)
            halved = lambda name, image: image[:, ::2, ::2] if name in ('body', 'lesion', 'painted') else F.avg_pool2d(image[:, None], 2)[:, 0]
            truth = {name: halved(name, image) for name, image in truth.items()}
            pixel_mm = 2 * pixel_mm
        log = lambda values, usual: torch.log(values[:, 0, 0] / usual)
        train = lambda seq, usual: log(seq['etl'] * seq['esp'], usual)
        first, second, t2fs = sequences['t1w'], sequences['t2w'], sequences['t2fs']
        exam = torch.stack((
            log(first['tr'], 600), log(first['te'], 10), train(first, 30), log(second['tr'], 3500), log(second['te'], 100), train(second, 170),
            (about['field'] >= 2).float(), has_scale.float(), has_scale * told[:, 0], has_dixon.float(),
            has_suppressed.float(), has_suppressed * log(t2fs['te'], 80), has_suppressed_scale.float(), has_suppressed_scale * told[:, 1],
            torch.log(pixel_mm / 0.85), (180 - torch.rad2deg(first['angle'][:, 0, 0])) / 50, has_t1w.float(), has_t2w.float(),
        ), 1)
        return dict(images=images, exam=exam, truth=truth, coarse=bool(options.coarse))

    def shading(self, size):
        """ln of receive fields (data.smooth_shading), [n, rows, columns]."""
        one = lambda low, high: self.uniform(low, high, size, 1, 1)
        normal = lambda: self.normal(size, 1, 1)
        angle = torch.where(one(0, 1) < 0.85, 0.35 * normal(), one(-np.pi, np.pi))
        along = self.u * torch.cos(angle) + self.v * torch.sin(angle)
        across = -self.u * torch.sin(angle) + self.v * torch.cos(angle)
        field = one(0.2, 1.3) * along + 0.2 * normal() * along**2 + 0.25 * normal() * across**2
        hills = torch.floor(one(0, 4))
        for hill in range(3):
            size_of_hill = 0.25 * normal() * (hills > hill)
            field = field + size_of_hill * torch.exp(-((self.u - one(-1, 1)) ** 2 + (self.v - one(-1, 1)) ** 2) / (2 * one(0.35, 0.9) ** 2))
        return one(0, 1.2) * field

    def measure(self, truth, known):
        """T1w, T2w and the fat-suppressed image as magnitudes (data.measure), [n, 3, rows, columns]."""
        size, height, width = truth['t2w'].shape
        t1w = shifted(truth['t1w'].abs(), *(0.3 * self.normal(2, size, 1, 1)))
        images = torch.stack((t1w, truth['t2w'].abs(), truth['t2fs'].abs()), 1)
        body = (truth['t2w'] > 0.02).float()[:, None]
        mean = (images * body).sum((2, 3)) / body.sum((2, 3)).clamp_min(1)
        # The fat-suppressed image is measured as T2w is.
        alike = [0, 1, 1]
        snr = torch.exp(self.uniform(np.log(12), np.log(80), size, 2))[:, alike]
        correlation = (self.uniform(0.4, 0.9, size, 2) * (self.uniform(0, 1, size, 2) < 0.5))[:, alike]
        # What a vendor's own normalisation leaves or adds: nothing where the scale of the pair is known.
        own = self.uniform(0, 0.08, size, 2, 1, 1) * (self.hills @ self.normal(size, 2, 4, 4) @ self.hills.T) * ~known[:, None, None, None]
        gain = torch.exp(self.shading(size)[:, None] + own[:, alike])
        flat = images.flatten(0, 1)
        images = blurred(flat, *self.uniform(0, 0.55, 2, len(flat)), radius=2).view_as(images) * gain
        noise = self.normal(2 * len(flat), height, width)
        noise = blurred(noise, *(correlation.flatten().repeat(2)[None].expand(2, -1)), radius=4)
        noise = noise / noise.flatten(1).std(1)[:, None, None]
        real, imaginary = (mean / snr)[None, :, :, None, None] * noise.view(2, size, 3, height, width)
        return torch.hypot(images + real, imaginary)

    def fitted_field(self, first, second):
        """The shading that data.fit_field finds in two images, [n, rows, columns], and the foreground on the coarse grid, [n, pixels]."""
        pair = torch.stack((first, second), 1)[:, :, :: data.STEP, :: data.STEP].flatten(2)
        high = torch.nanquantile(torch.where(pair > 0, pair, torch.full_like(pair, float('nan'))), 0.9, 2, keepdim=True)
        high = torch.nan_to_num(high, nan=1.0)
        inside = (pair > 0.1 * high).all(1)
        value = (0.5 * torch.log((pair / high).clamp_min(1e-6)).sum(1) * inside).double()
        weight = inside.double()
        unsteady = 1e-3 / 15 * torch.eye(15, device=pair.device, dtype=torch.float64)
        for _ in range(5):
            weighted = self.coarse * weight[:, None]
            normal = weighted @ self.coarse.T
            normal = normal + unsteady * normal.diagonal(dim1=1, dim2=2).sum(1)[:, None, None].clamp_min(1e-9)
            coefficients = torch.cholesky_solve(weighted @ value[:, :, None], torch.linalg.cholesky_ex(normal).L)[:, :, 0]
            residual = (value - coefficients @ self.coarse).abs()
            median = torch.nanmedian(torch.where(inside, residual, torch.full_like(residual, float('nan'))), 1, keepdim=True).values
            scale = 3 * 1.4826 * torch.nan_to_num(median) + 1e-6
            weight = inside * (1 - (residual / scale) ** 2).clamp_min(0) ** 2
        level = ((coefficients @ self.coarse) * inside).sum(1) / inside.sum(1).clamp_min(1)
        enough = inside.sum(1, keepdim=True) >= 60
        coefficients = torch.where(enough, torch.cat((coefficients[:, :1] - level[:, None], coefficients[:, 1:]), 1), torch.zeros_like(coefficients)).float()
        field = torch.exp(torch.tensordot(coefficients, self.polynomial, 1)).clamp(1 / 8, 8)
        return field, inside


def target_vector(sequences):
    """Sequences of the missing contrasts for the baseline: [n, 8]."""
    stir, t2fs = sequences['stir'], sequences['t2fs']
    train = lambda seq: seq['etl'] * seq['esp']
    numbers = (stir['tr'] / 5000, stir['te'] / 50, stir['ti'] / 190, train(stir) / 110, t2fs['tr'] / 4000, t2fs['te'] / 75, train(t2fs) / 140, torch.ones_like(stir['tr']))
    return torch.log(torch.cat([number[:, :, 0] for number in numbers], 1))
