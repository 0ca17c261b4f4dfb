"""A scan made of ISMRMRD's own objects: oblique slices, correlated noise, R = 2 with embedded calibration lines."""
import ismrmrd
import ismrmrd.xsd as xsd
import numpy as np

import fourier

N = 96
N_COILS = 8
N_SLICES = 2
ACCELERATION = 2
N_CALIBRATION = 24
OVERSAMPLING = 2
N_NOISE_READOUTS = 60
FOV_MM = 240.0
THICKNESS_MM = 5.0
SPACING_MM = 6.0
DWELL_TIME_US = 8.0
NOISE_DWELL_TIME_US = 5.0
RELATIVE_NOISE_BANDWIDTH = 0.793
NOISE_STD = 0.004

# Rotated about two axes: no direction lies along an axis of the patient.
READ = np.array([0.6, 0.8 * np.cos(0.3), 0.8 * np.sin(0.3)])
PHASE = np.array([-0.8, 0.6 * np.cos(0.3), 0.6 * np.sin(0.3)])
SLICE = np.cross(READ, PHASE)


def position(index):
    return np.array([12.5, -31.0, 44.0]) + (index - 0.5) * SPACING_MM * SLICE


def header(fully_sampled):
    def space(columns, width_mm):
        return xsd.encodingSpaceType(
            matrixSize=xsd.matrixSizeType(x=columns, y=N, z=1),
            fieldOfView_mm=xsd.fieldOfViewMm(x=width_mm, y=FOV_MM, z=THICKNESS_MM),
        )

    def limit(maximum, center=0):
        return xsd.limitType(minimum=0, maximum=maximum, center=center)

    parallel_imaging = xsd.parallelImagingType(
        accelerationFactor=xsd.accelerationFactorType(kspace_encoding_step_1=ACCELERATION, kspace_encoding_step_2=1),
        calibrationMode=xsd.calibrationModeType.EMBEDDED,
    )
    return xsd.ismrmrdHeader(
        measurementInformation=xsd.measurementInformationType(patientPosition="HFS", protocolName="t2_oblique"),
        acquisitionSystemInformation=xsd.acquisitionSystemInformationType(
            receiverChannels=N_COILS, relativeReceiverNoiseBandwidth=RELATIVE_NOISE_BANDWIDTH
        ),
        experimentalConditions=xsd.experimentalConditionsType(H1resonanceFrequency_Hz=63_866_000),
        encoding=[
            xsd.encodingType(
                encodedSpace=space(OVERSAMPLING * N, OVERSAMPLING * FOV_MM),
                reconSpace=space(N, FOV_MM),
                encodingLimits=xsd.encodingLimitsType(
                    kspace_encoding_step_1=limit(N - 1, N // 2), slice=limit(N_SLICES - 1)
                ),
                trajectory=xsd.trajectoryType.CARTESIAN,
                parallelImaging=None if fully_sampled else parallel_imaging,
            )
        ],
        sequenceParameters=xsd.sequenceParametersType(TR=[3500.0], TE=[95.0]),
    )


def grid():
    """x to the right and y down, in half fields of view; the readout covers OVERSAMPLING of them."""
    y = (np.arange(N) - N // 2) / (N / 2)
    x = (np.arange(OVERSAMPLING * N) - OVERSAMPLING * N // 2) / (N / 2)
    return np.meshgrid(x, y)


def phantom(index):
    """Different in each slice, and with no symmetry that would hide a flip."""
    x, y = grid()
    ellipses = [(0, 0, 0.7, 0.85, 1.0), (-0.3, -0.35, 0.2, 0.12, -0.6), (0.35, 0.1, 0.1, 0.3, 0.7)]
    ellipses.append((0.1 - 0.3 * index, 0.5, 0.22, 0.1, -0.5))
    return sum(v * (((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1) for cx, cy, a, b, v in ellipses)


def sensitivities():
    x, y = grid()
    angles = 2 * np.pi * np.arange(N_COILS) / N_COILS
    maps = [
        np.exp(-((x - 1.1 * np.cos(a)) ** 2 + (y - 1.1 * np.sin(a)) ** 2) / 1.6 + 1j * (0.8 * x * np.sin(a) + a))
        for a in angles
    ]
    return np.array(maps)


class Scan:
    """The data, and the same data reconstructed by numpy."""

    def __init__(self, seed=7):
        random = np.random.default_rng(seed)
        mixing = np.eye(N_COILS) + 0.3 * np.roll(np.eye(N_COILS), 1, axis=1)

        def noise(n_samples, std):
            white = random.standard_normal((2, N_COILS, n_samples))
            return std * mixing @ (white[0] + 1j * white[1])

        ratio = DWELL_TIME_US / NOISE_DWELL_TIME_US * RELATIVE_NOISE_BANDWIDTH
        n_samples = OVERSAMPLING * N
        self.noise = noise(N_NOISE_READOUTS * n_samples, NOISE_STD * np.sqrt(ratio))
        # complex64 as on the wire, so that numpy sees what the server sees
        self.kspace = [
            (fourier.kspace_of(phantom(i) * sensitivities()) + noise(N * n_samples, NOISE_STD).reshape(N_COILS, N, n_samples)).astype(
                np.complex64
            )
            for i in range(N_SLICES)
        ]
        covariance = self.noise @ self.noise.conj().T / self.noise.shape[1]
        self.whitener = np.sqrt(2 * ratio) * np.linalg.inv(np.linalg.cholesky(covariance))

    def lines(self, fully_sampled):
        """(line, is calibration, is imaging) in the order of acquisition."""
        first = N // 2 - N_CALIBRATION // 2
        for line in range(N):
            calibrates = first <= line < first + N_CALIBRATION
            images = fully_sampled or (line - N // 2) % ACCELERATION == 0
            if images or calibrates:
                yield line, calibrates and not fully_sampled, images

    def whitened_images(self, index, every=1):
        """Coil images in SNR units of every line or of every `every`-th one, the others 0."""
        kspace = np.einsum("dc,cys->dys", self.whitener, self.kspace[index])
        kept = (np.arange(N) - N // 2) % every == 0
        return fourier.central_columns(fourier.image_of(kspace * kept[:, None]), N)

    def reference(self, index, fully_sampled):
        """Magnitude image in SNR units: root-sum-of-squares, or SENSE with the true sensitivities.

        SENSE (Pruessmann 1999, doi 10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S): the R pixels that
        fold onto each other, m = (SᴴS)⁻¹ Sᴴ a, then weighted by the root-sum-of-squares of the sensitivities.
        """
        if fully_sampled:
            return fourier.root_sum_of_squares(self.whitened_images(index))
        maps = fourier.central_columns(np.einsum("dc,cyx->dyx", self.whitener, sensitivities()), N)
        folded = ACCELERATION * self.whitened_images(index, ACCELERATION)
        distance = N // ACCELERATION
        image = np.zeros((N, N), complex)
        for row in range(distance):
            rows = [row + k * distance for k in range(ACCELERATION)]
            system = maps[:, rows].transpose(2, 0, 1)
            unfolded = np.linalg.pinv(system) @ folded[:, row].T[:, :, None]
            image[rows] = unfolded[:, :, 0].T
        return np.abs(image) * fourier.root_sum_of_squares(maps)

    def zero_filled(self, index):
        return ACCELERATION * fourier.root_sum_of_squares(self.whitened_images(index, ACCELERATION))

    def messages(self, fully_sampled):
        """Noise readouts, then line by line through the slices, with a waveform now and then."""
        counter = 0

        def acquisition(data, dwell_time_us, flags, **fields):
            nonlocal counter
            counter += 1
            item = ismrmrd.Acquisition.from_array(
                np.ascontiguousarray(data, np.complex64),
                scan_counter=counter,
                measurement_uid=4711,
                acquisition_time_stamp=1000 + counter,
                sample_time_us=dwell_time_us,
                center_sample=data.shape[1] // 2,
                available_channels=N_COILS,
                **fields,
            )
            for flag in flags:
                item.setFlag(flag)
            return item

        for readout in np.split(self.noise, N_NOISE_READOUTS, axis=1):
            yield acquisition(readout, NOISE_DWELL_TIME_US, [ismrmrd.ACQ_IS_NOISE_MEASUREMENT])
        lines = list(self.lines(fully_sampled))
        for line, calibrates, images in lines:
            for index in range(N_SLICES):
                flags = [ismrmrd.ACQ_LAST_IN_SLICE] if line == lines[-1][0] else []
                if calibrates:
                    both = ismrmrd.ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING
                    flags.append(both if images else ismrmrd.ACQ_IS_PARALLEL_CALIBRATION)
                item = acquisition(
                    self.kspace[index][:, line], DWELL_TIME_US, flags,
                    position=tuple(position(index)), read_dir=tuple(READ), phase_dir=tuple(PHASE), slice_dir=tuple(SLICE),
                )
                item.idx.kspace_encode_step_1 = line
                item.idx.slice = index
                yield item
            if line % 16 == 0:
                ecg = np.full((5, 20), 2048 + line, np.uint32)
                yield ismrmrd.Waveform.from_array(ecg, waveform_id=0, time_stamp=1000 + counter, sample_time_us=2500)
