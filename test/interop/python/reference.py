"""Root-sum-of-squares of a recorded stream by numpy: float32 [rows, columns] on stdout.

usage: reference.py IN.mrd all|imaging|calibration

Of the last repetition: all lines, or without those that only calibrate, or these alone. What was not acquired is 0.
"""
import sys

import ismrmrd
import numpy as np
from ismrmrd.serialization import ProtocolDeserializer

import fourier


def main():
    path, use = sys.argv[1:]
    with ProtocolDeserializer(path) as deserializer:
        items = list(deserializer.deserialize())
    header = next(item for item in items if isinstance(item, ismrmrd.xsd.ismrmrdHeader))
    encoding = header.encoding[0]
    readouts = [item for item in items if isinstance(item, ismrmrd.Acquisition)]
    readouts = [item for item in readouts if not item.isFlagSet(ismrmrd.ACQ_IS_NOISE_MEASUREMENT)]
    last = max(item.idx.repetition for item in readouts)
    n_columns = readouts[0].number_of_samples
    n_rows = encoding.encodedSpace.matrixSize.y
    kspace = np.zeros((readouts[0].active_channels, n_rows, n_columns), np.complex64)
    for readout in readouts:
        calibrates = readout.isFlagSet(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION)
        if readout.idx.repetition == last and (use == "all" or calibrates == (use == "calibration")):
            kspace[:, readout.idx.kspace_encode_step_1] = readout.data
    images = fourier.central_columns(fourier.image_of(kspace), encoding.reconSpace.matrixSize.x)
    sys.stdout.buffer.write(fourier.root_sum_of_squares(images).astype(np.float32).tobytes())


main()
