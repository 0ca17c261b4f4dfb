"""How far the stated echo time of T2w is from what a whole series shows: synth/echoTime.ts in Python.

    error = slope (TE (exp(-mean e) - 1) - offset)     e: what the network says of a slice, ln(TE as told / true), drawn towards none by what it
                                                       cannot tell; slope takes that back. Persons' T2 differ, too: that is its deviation.
"""

import numpy as np


def raw_ms(echoes, te_ms):
    """What the network's answers to the slices of a series come to."""
    return float(te_ms * (np.exp(-np.mean(echoes)) - 1))


def error_of(echoes, te_ms, model):
    """(ms by which the echo time is longer than stated, standard deviation) of a series."""
    return model['slope'] * (raw_ms(echoes, te_ms) - model['offsetMs']), model['deviationMs']


def fit(sound, wrong):
    """What calibrate.py writes as `echoTime`: from raw_ms of sound series, and pairs (of the same person's, by how many ms it is longer than stated).
    amber: from so many deviations on; 1 of 50 of the sound series is beyond."""
    offset = float(np.median(sound))
    slope = float(np.median([true / (raw - offset) for raw, true in wrong]))
    off = slope * (np.array(sound) - offset)
    deviation = float(off.std())
    return dict(offsetMs=round(offset, 2), slope=round(slope, 2), deviationMs=round(deviation, 2), amber=round(float(np.percentile(np.abs(off), 98)) / deviation, 2))
