"""numpy's own image reconstruction, in Conus's conventions: centred, orthonormal, [coil, row, column]."""
import numpy as np


def kspace_of(image):
    axes = (-2, -1)
    return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image, axes=axes), norm="ortho"), axes=axes)


def image_of(kspace):
    axes = (-2, -1)
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace, axes=axes), norm="ortho"), axes=axes)


def central_columns(images, n_columns):
    first = images.shape[-1] // 2 - n_columns // 2
    return images[..., first : first + n_columns]


def root_sum_of_squares(images):
    return np.sqrt(np.sum(np.abs(images) ** 2, axis=0))


def nrmse(image, reference):
    return float(np.linalg.norm(image - reference) / np.linalg.norm(reference))
