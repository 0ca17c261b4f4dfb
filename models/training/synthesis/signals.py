"""The signal equations of imaging/signal.ts for torch tensors: what a fast spin echo makes of water and fat.

Symbols as there. Every argument broadcasts; times in ms, angles in radians. `check.py` holds them against the painted cases.
"""

import torch

# Peaks of triglyceride (imaging/tissues.ts) and the saturation pulse of paint.ts.
PEAKS = ((-3.8, 0.087), (-3.4, 0.693), (-2.6, 0.128), (-1.94, 0.004), (-0.39, 0.039), (0.6, 0.048))
PULSE = dict(centre=-3.4, bandwidth=2.6, efficiency=0.97, order=8)


def saturation_left(shift_ppm):
    """Share of the magnetisation that the pulse leaves at a chemical shift."""
    return 1 - PULSE['efficiency'] * 2 ** -(abs(2 * (shift_ppm - PULSE['centre']) / PULSE['bandwidth']) ** PULSE['order'])


WATER_LEFT = saturation_left(0.0)
FAT_LEFT = sum(weight * saturation_left(shift) for shift, weight in PEAKS) / sum(weight for _, weight in PEAKS)


def after_train(t1, seq):
    """m_N: longitudinal magnetisation after the last refocusing pulse."""
    cosine = torch.cos(seq['angle'])
    recovered = torch.exp(-seq['esp'] / t1)
    first = cosine * (1 - torch.sqrt(recovered))
    fixed = cosine * (1 - recovered) / (1 - recovered * cosine)
    return fixed + signed_power(recovered * cosine, seq['etl'] - 1) * (first - fixed)


def signed_power(base, exponent):
    """base ** exponent for a negative base and whole exponents."""
    odd = torch.remainder(torch.round(exponent), 2) == 1
    size = torch.exp(exponent * torch.log(base.abs().clamp_min(1e-12)))
    return torch.where(odd & (base < 0), -size, size)


def at_excitation(t1, seq, residual=1.0, delay=0.0):
    """M_x."""
    wait = seq['tr'] - delay - (seq['etl'] - 0.5) * seq['esp']
    before = 1 + (after_train(t1, seq) - 1) * torch.exp(-wait / t1)
    return 1 + (residual * before - 1) * torch.exp(-delay / t1)


def fast_spin_echo(t1, t2, seq, residual=1.0, delay=0.0):
    return at_excitation(t1, seq, residual, delay) * torch.sin(seq['angle'] / 2) * torch.exp(-seq['te'] / t2)


def nulling_inversion_time(t1, seq):
    """Inversion time (ms) at which nothing of tissue with this T1 is left."""
    remembered = (1 - after_train(t1, seq)) * torch.exp(-(seq['tr'] - (seq['etl'] - 0.5) * seq['esp']) / t1)
    return t1 * torch.log(2 / (1 + remembered))


class Contrast:
    """One sequence with its preparation for a batch: `seq` values [n, 1, 1]; `water_left` and `fat_left` are what a saturation leaves of each,
    an inversion takes its time from `seq`."""

    def __init__(self, seq, fat, water_left=1.0, fat_left=1.0, inverted=False):
        self.seq, self.fat, self.water_left = seq, fat, water_left
        self.residual, self.delay = (-1.0, seq['ti']) if inverted else (None, 0.0)
        keep = self.residual if inverted else fat_left
        self.fat_signal = fast_spin_echo(fat['t1'], fat['t2'], seq, keep, self.delay)
        self.inverted = inverted

    def water_parts(self, t1):
        keep = self.residual if self.inverted else self.water_left
        return at_excitation(t1, self.seq, keep, self.delay) * torch.sin(self.seq['angle'] / 2)

    def signal(self, maps):
        """Signed signal of maps [n, 4, rows, columns] (ln PD, ln T1, ln T2, logit FF): [n, rows, columns]."""
        return sum(self.water_and_fat(*parameters(maps)))

    def water_and_fat(self, pd, t1, t2, ff):
        """What water and fat give of the signal of tissue."""
        return pd * (1 - ff) * self.water_parts(t1) * torch.exp(-self.seq['te'] / t2), pd * ff * self.fat_signal

    def signal_and_slopes(self, maps):
        """The signal and its derivatives by the four maps, [n, 4, rows, columns]."""
        pd, t1, t2, ff = parameters(maps)
        decay = torch.exp(-self.seq['te'] / t2)
        here, beside = self.water_parts(t1), self.water_parts(t1 * 1.02)
        water = here * decay
        signal = pd * ((1 - ff) * water + ff * self.fat_signal)
        slopes = (
            signal,
            pd * (1 - ff) * decay * (beside - here) / 0.0198026,
            pd * (1 - ff) * water * self.seq['te'] / t2,
            pd * ff * (1 - ff) * (self.fat_signal - water),
        )
        return signal, torch.stack(slopes, 1)


def parameters(maps):
    """PD, T1, T2 (ms), fat fraction."""
    return torch.exp(maps[:, 0]), torch.exp(maps[:, 1]), torch.exp(maps[:, 2]), torch.sigmoid(maps[:, 3])


def maps_of(pd, t1, t2, ff):
    """The network's four maps of true parameters (torch, [n, rows, columns] each); where there is nothing, ordinary values with little density."""
    odds = ff.clamp(0.004, 0.98)
    return torch.stack(
        (torch.log(pd.clamp_min(0.02)), torch.log(t1.clamp(100, 5000)), torch.log(t2.clamp(4, 2500)), torch.log(odds / (1 - odds))), 1
    )


FAT_TIMES = {1.5: dict(t1=288.0, t2=110.0), 3: dict(t1=371.0, t2=100.0)}


def fat_times(field):
    """T1 and T2 of an average person's fat at field strengths [n]: [n, 1, 1] each."""
    return {key: torch.where(field[:, None, None] < 2, FAT_TIMES[1.5][key], FAT_TIMES[3][key]) for key in ('t1', 't2')}


def contrasts(sequences, fat):
    """T1w, T2w, STIR and T2 fat-sat: `sequences` by name, `fat` its T1 and T2, all [n, 1, 1]."""
    return dict(
        t1w=Contrast(sequences['t1w'], fat),
        t2w=Contrast(sequences['t2w'], fat),
        stir=Contrast(sequences['stir'], fat, inverted=True),
        t2fs=Contrast(sequences['t2fs'], fat, WATER_LEFT, FAT_LEFT),
    )


def column(values):
    """One value a case, as [n, 1, 1]."""
    return torch.tensor(values, dtype=torch.float32)[:, None, None]


def sequences_of(cases, numbers):
    """Dicts of sequences, one a case as paint.ts writes them, as `contrasts` takes them; `numbers` is data.sequence_numbers."""
    each = {name: [numbers(one[name]) for one in cases] for name in ('t1w', 't2w', 'stir', 't2fs')}
    return {name: {key: column([one[key] for one in rows]) for key in rows[0]} for name, rows in each.items()}


def contrasts_of(cases, fields, numbers):
    """The contrasts of cases as `sequences_of` takes them; fat is that of an average person."""
    return contrasts(sequences_of(cases, numbers), fat_times(torch.tensor(fields)))
