"""The 90 % interval of a contrast, as synth/interval.ts has it, and how its factor is fitted to held-out pixels.

|S| +- 1.645 k s, ln k = offset + terms: piecewise linear in one sign of the pixel or bilinear in two (TERMS), constant beyond the outermost
knots. Signs: ln(s / (|S| + 0.02)), ln(|S| + 0.02), fat fraction, ln T1 and ln T2 of the maps.

1. Quantile regression (Koenker 1978, doi 10.2307/1913643) of ln(|error| / 1.645 s) at 90 %, every group of pixels of equal weight.
2. From there on also the fourth power of how far each group's coverage is off 90 %: groups are tissue by the prior of its person, and every
   kind of lesion. The factor knows of no group: where two look alike they share what is missed. The fourth power, nearly the largest
   alone, leaves groups that are close to 90 % to the regression: squares widened all intervals for the sake of tenths of a per cent.

Both by L-BFGS, with steps made smooth and values between neighbouring knots held together. The step of the coverage is narrow: a wide one counts
less than is covered, for errors grow rarer outwards.

    python3 interval.py > ../../../test/synth/interval.golden.json      # what synth/interval.ts is held against
"""

import json

import numpy as np
import torch

NOMINAL = 0.9
HALF_WIDTH = 1.6448536269514722
FAINT = 0.02
TERMS = (('lnWidth', 'lnSize'), ('fatFraction', 'lnT2Ms'), ('lnT1Ms', 'lnT2Ms'))
KNOTS = 8
OUTERMOST = 0.02
GROUP_WEIGHT = 3e4
ROUGHNESS = 0.002
STEP_OF_QUANTILE, STEP_OF_COVERAGE = 0.03, 0.05
ROUNDS = (25, 60)


def signs_of(size, deviation, maps):
    """Signs of pixels from |S|, s and the network's four maps [4, ...] (logit of the fat fraction last)."""
    return dict(
        lnWidth=np.log(deviation / (size + FAINT)), lnSize=np.log(size + FAINT),
        fatFraction=1 / (1 + np.exp(-maps[3])), lnT1Ms=maps[1], lnT2Ms=maps[2],
    )


def hats(values, knots):
    """Share of each knot in piecewise linear interpolation: [values, knots]."""
    knots = np.asarray(knots)
    values = np.clip(np.ravel(values), knots[0], knots[-1])
    before = np.clip(np.searchsorted(knots, values, side='right') - 1, 0, len(knots) - 2)
    share = (values - knots[before]) / (knots[before + 1] - knots[before])
    shares = np.zeros((len(values), len(knots)), np.float32)
    rows = np.arange(len(values))
    shares[rows, before], shares[rows, before + 1] = 1 - share, share
    return shares


def term_hats(signs, names, knots):
    each = [hats(signs[name], k) for name, k in zip(names, knots)]
    return each[0] if len(each) == 1 else (each[0][:, :, None] * each[1][:, None, :]).reshape(len(each[0]), -1)


def factors_of(signs, model):
    """k of every pixel."""
    logs = sum(term_hats(signs, term['of'], term['knots']) @ np.asarray(term['values'], np.float32) for term in model['terms'])
    return np.exp(model['offset'] + logs).reshape(np.shape(signs['lnSize']))


def interval_of(size, deviation, maps, model):
    """(low, high) of |S|, nominally 90 %."""
    half = HALF_WIDTH * factors_of(signs_of(size, deviation, maps), model) * deviation
    return np.maximum(0, size - half), size + half


def roughness_of(shape):
    """[differences, values] between neighbouring knots of a term of this many knots."""
    index = np.arange(np.prod(shape)).reshape(shape)
    rows = []
    for axis in range(len(shape)):
        before, behind = (np.take(index, np.arange(shape[axis])[part], axis).ravel() for part in (slice(0, -1), slice(1, None)))
        rows.append(np.eye(index.size)[behind] - np.eye(index.size)[before])
    return np.concatenate(rows)


def fit(signs, deviation, error, area, groups):
    """The factor of one contrast. groups: {name: mask of pixels}; error: |truth - |S||; area: how many pixels of an image each stands for."""
    whole = {name: np.quantile(values, np.linspace(OUTERMOST, 1 - OUTERMOST, KNOTS)).round(3) for name, values in signs.items()}
    terms = [(names, [np.unique(whole[name]) for name in names]) for names in TERMS]
    design = torch.from_numpy(np.concatenate([term_hats(signs, *term) for term in terms], 1))
    target = torch.from_numpy(np.log(np.maximum(error / deviation / HALF_WIDTH, 1e-4)).astype(np.float32))
    rough = torch.block_diag(*(torch.from_numpy(roughness_of([len(k) for k in knots]).astype(np.float32)) for _, knots in terms))
    shares = [(torch.from_numpy(np.flatnonzero(mask)), torch.from_numpy((area[mask] / area[mask].sum()).astype(np.float32))) for mask in groups.values()]
    weight = torch.zeros(len(target))
    for chosen, share in shares:
        weight[chosen] += share / len(shares)
    values = torch.zeros(design.shape[1] + 1, requires_grad=True)

    def quantile(logs):
        above = target - logs
        return (weight * (NOMINAL * above + STEP_OF_QUANTILE * torch.nn.functional.softplus(-above / STEP_OF_QUANTILE))).sum()

    def with_coverage(logs):
        inside = torch.sigmoid((logs - target) / STEP_OF_COVERAGE)
        return quantile(logs) + GROUP_WEIGHT * sum(((share * inside[chosen]).sum() - NOMINAL) ** 4 for chosen, share in shares)

    for objective, rounds in zip((quantile, with_coverage), ROUNDS):
        optimiser = torch.optim.LBFGS([values], max_iter=rounds, history_size=15, line_search_fn='strong_wolfe')

        def closure():
            optimiser.zero_grad()
            loss = objective(design @ values[:-1] + values[-1]) + ROUGHNESS * ((rough @ values[:-1]) ** 2).sum() + 1e-4 * (values[:-1] ** 2).sum()
            loss.backward()
            return loss

        optimiser.step(closure)
    found = values.detach().numpy().astype(float)
    lengths = [int(np.prod([len(k) for k in knots])) for _, knots in terms]
    parts = np.split(found[:-1], np.cumsum(lengths)[:-1])
    return dict(
        offset=round(float(found[-1]), 3),
        terms=[dict(of=list(names), knots=[k.tolist() for k in knots], values=part.round(3).tolist()) for (names, knots), part in zip(terms, parts)],
    )


def golden():
    """A factor, pixels and their intervals, of seeds."""
    rng = np.random.default_rng(5)
    knots = dict(lnWidth=[-3.0, -2.0, -1.2], lnSize=[-4.0, -2.5, -1.0], fatFraction=[0.05, 0.3, 0.8], lnT2Ms=[3.0, 4.0, 6.0], lnT1Ms=[6.0, 7.0, 7.5])
    terms = [dict(of=list(names), knots=[knots[name] for name in names], values=rng.uniform(-1, 1, 3 ** len(names)).round(3).tolist()) for names in TERMS]
    n = 64
    size, deviation = rng.uniform(0, 0.5, n), rng.uniform(0.003, 0.1, n)
    maps = np.stack([np.zeros(n), rng.uniform(5.5, 8, n), rng.uniform(2.5, 7, n), rng.normal(0, 2, n)])
    size, deviation, maps = (values.astype(np.float32).astype(float) for values in (size, deviation, maps))
    low, high = interval_of(size, deviation, maps, dict(offset=0.3, terms=terms))
    lists = dict(signal=size, deviation=deviation, fatFraction=1 / (1 + np.exp(-maps[3])), lnT1Ms=maps[1], lnT2Ms=maps[2], low=low, high=high)
    return dict(factor=dict(offset=0.3, terms=terms), **{name: np.round(values, 7).tolist() for name, values in lists.items()})


if __name__ == '__main__':
    print(json.dumps(golden()))
