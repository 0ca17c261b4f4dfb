"""Whole series of a person (paint.ts --stack) as a scanner would deliver them, sound or with a fault: shading, gains, blur and motion are those of the
series, noise is each slice's own.

Faults are those of faults.py: blob and patch in one slice, patient, shift and echoTime in all alike. And `ball`: a blob that goes on in the
neighbouring slices as a ball does, with the radius and the change of that one.
"""


import numpy as np

import data
import faults

KINDS = (*faults.KINDS, 'ball')
OF_ONE_SLICE = ('blob', 'patch')
# Of so many slices of a series one more may be beyond a limit (synth/trust.ts).
SLICES_PER_OUTLIER = 8
SEED = 53


def decisive(scores):
    """What gateLight judges a series by."""
    return sorted(scores, reverse=True)[min(len(scores) - 1, len(scores) // SLICES_PER_OUTLIER)]


def persons(cases):
    """Seeds, in their order."""
    return sorted({patient['seed'] for patient, _, _ in cases.slices})


def slices_of(cases, person):
    return [index for index, (patient, _, _) in enumerate(cases.slices) if patient['seed'] == person]


def options(person, index):
    return data.Options(known=person % 2 == 1, third='none', left_out='none', coarse=False, lesions=False, noise=np.random.default_rng((SEED + 1, person, index)))


def made(cases, read, person, index):
    return data.make(read, index, np.random.default_rng((SEED, person)), options(person, index))


def sound(cases, person):
    return [made(cases, cases, person, index) for index in slices_of(cases, person)]


def faulty(cases, person, kind):
    """{place among the slices: slice as the network gets it} of the slices that the fault changes."""
    indices = slices_of(cases, person)
    rng = lambda: np.random.default_rng((SEED + 2, person, KINDS.index(kind)))
    place = int(rng().integers(2, len(indices) - 2))
    if kind in OF_ONE_SLICE:
        read = {place: faults.Faulty(cases, indices[place], kind, rng())}
    elif kind == 'ball':
        read = ball(cases, indices, place, rng)
    elif kind == 'patient':
        read = other_patient(cases, indices, person, rng())
    else:
        read = {k: faults.Faulty(cases, index, kind, rng()) for k, index in enumerate(indices)}
    return {k: made(cases, one, person, indices[k]) for k, one in read.items()}


def ball(cases, indices, place, rng):
    middle = faults.Faulty(cases, indices[place], 'blob', rng())
    (name,) = middle.changed
    sample = middle.slices[indices[place]][1]
    centre = middle.blob_at
    read = {}
    for k, index in enumerate(indices):
        off = abs(k - place) * sample['thicknessMm'] * faults.SLICE_STEP / sample['pixelMm']
        if off >= centre['radius']:
            continue
        one = faults.Faulty(cases, index, None, rng())
        one.changed[name] = faults.with_blob(cases.image(index, name), **dict(centre, radius=np.sqrt(centre['radius'] ** 2 - off**2)))
        read[k] = one
    return read


def other_patient(cases, indices, person, rng):
    region = cases.slices[indices[0]][0]['region']
    alike = [seed for seed in persons(cases) if seed != person and cases.slices[slices_of(cases, seed)[0]][0]['region'] == region]
    others = slices_of(cases, int(rng.choice(alike)))
    read = {}
    for k, (index, other) in enumerate(zip(indices, others)):
        read[k] = faults.Faulty(cases, index, None, rng)
        read[k].changed['t2w'] = cases.image(other, 't2w')
    return read
