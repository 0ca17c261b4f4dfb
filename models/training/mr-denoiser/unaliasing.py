"""Accelerated scans with simulated coils: SENSE by direct inversion of each fold, with its true noise; BART for comparison;
data consistency round the denoiser.

Data consistency: x = argmin |A x - y|^2 + weight |x - d|^2 with A = undersampling * FFT * coil maps and d the denoised
image, by conjugate gradients; plug-and-play, Venkatakrishnan 2013, doi 10.1109/GlobalSIP.2013.6737048.
"""

import os
import pathlib
import subprocess
import tempfile

import numpy as np
import scipy.fft

from simulate import coil_maps

AXES = (-2, -1)


def fft(x):
    return scipy.fft.fftshift(scipy.fft.fft2(scipy.fft.ifftshift(x, AXES), norm='ortho'), AXES)


def ifft(x):
    return scipy.fft.fftshift(scipy.fft.ifft2(scipy.fft.ifftshift(x, AXES), norm='ortho'), AXES)


class Scan:
    """One slice, accelerated along rows. Noise of every coil sample is 1 in each part; maps are normalised to a root
    sum of squares of 1, so that a full scan has noise 1 and the truth is in units of SNR."""

    def __init__(self, rng, truth, acceleration, n_coils=12, calibration_lines=24):
        rows = truth.shape[0] // acceleration * acceleration
        self.truth, self.acceleration = truth[:rows], acceleration
        maps = coil_maps(rng, *self.truth.shape, n_coils)
        self.maps = maps / np.sqrt((np.abs(maps) ** 2).sum(0))
        full = fft(self.maps * self.truth)
        full = full + rng.standard_normal(full.shape, np.float32) + 1j * rng.standard_normal(full.shape, np.float32)
        self.mask = np.zeros((rows, 1), np.float32)
        # The line of k = 0 is among them, so that the folds are plain sums.
        self.mask[(rows // 2) % acceleration :: acceleration] = 1
        self.kspace = (full * self.mask).astype(np.complex64)
        centre = slice(rows // 2 - calibration_lines // 2, rows // 2 + calibration_lines // 2)
        self.calibration = np.zeros_like(self.kspace)
        self.calibration[:, centre] = full[:, centre]

    def sense(self, maps):
        """Image and the standard deviation of its real part, both [rows, columns]."""
        r = self.acceleration
        rows, columns = self.truth.shape
        folded = ifft(self.kspace) * r
        part = rows // r
        s = maps.reshape(len(maps), r, part, columns)
        gram = np.einsum('crij,csij->ijrs', s.conj(), s)
        gram = gram + 1e-4 * np.eye(r)
        right = np.einsum('crij,cij->ijr', s.conj(), folded[:, :part])
        image = np.moveaxis(np.linalg.solve(gram, right[..., None])[..., 0], -1, 0).reshape(rows, columns)
        noise = np.sqrt(r * np.moveaxis(np.linalg.inv(gram).diagonal(0, 2, 3).real, -1, 0).reshape(rows, columns))
        return image, noise

    def estimated_maps(self):
        """Smoothed images of the calibration lines over their root sum of squares, phase of the truth left out."""
        low = ifft(self.calibration * tapered(self.calibration))
        return low / np.maximum(np.sqrt((np.abs(low) ** 2).sum(0)), 1e-6)

    def data_consistent(self, maps, denoised, weight, iterations=8):
        """argmin |A x - y|^2 + weight |x - denoised|^2; `weight` is a number or [rows, columns]."""
        adjoint = lambda k: (maps.conj() * ifft(k)).sum(0)
        normal = lambda x: adjoint(self.mask * fft(maps * x)) + weight * x
        x = denoised.copy()
        residual = adjoint(self.kspace) + weight * denoised - normal(x)
        direction, energy = residual.copy(), np.vdot(residual, residual).real
        for _ in range(iterations):
            step = normal(direction)
            alpha = energy / np.vdot(direction, step).real
            x = x + alpha * direction
            residual = residual - alpha * step
            energy, before = np.vdot(residual, residual).real, energy
            direction = residual + energy / before * direction
        return x

    def bart(self, maps, *regularisation):
        """BART pics of the same data."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            write_cfl(folder / 'kspace', self.kspace)
            write_cfl(folder / 'maps', maps)
            subprocess.run(
                ['bart', 'pics', '-S', '-d0', *regularisation, folder / 'kspace', folder / 'maps', folder / 'image'],
                check=True,
                capture_output=True,
                env={**os.environ, 'OMP_NUM_THREADS': '1'},
            )
            return read_cfl(folder / 'image', self.truth.shape)


def tapered(calibration):
    """Hann window over the lines of k-space that were measured [1, rows, columns], and as wide along columns."""
    lines = np.flatnonzero(np.abs(calibration).sum((0, 2)))
    rows, columns = calibration.shape[1:]
    window = np.zeros((rows, columns))
    width = min(len(lines), columns)
    left = columns // 2 - width // 2
    window[lines[0] : lines[-1] + 1, left : left + width] = np.outer(
        np.hanning(len(lines) + 2)[1:-1], np.hanning(width + 2)[1:-1]
    )
    return window[None]


def write_cfl(path, array):
    """Complex [coil, rows, columns] as BART dimensions rows, columns, 1, coil."""
    coils, rows, columns = array.shape
    path.with_suffix('.hdr').write_text(f'# Dimensions\n{rows} {columns} 1 {coils} 1\n')
    np.moveaxis(array, 0, -1).astype(np.complex64).ravel('F').tofile(path.with_suffix('.cfl'))


def read_cfl(path, shape):
    return np.fromfile(path.with_suffix('.cfl'), np.complex64)[: np.prod(shape)].reshape(shape, order='F')
