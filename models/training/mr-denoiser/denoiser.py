"""The exported network on complex images of any size, as Conus runs it: filled up by reflection and cut off again."""

import numpy as np
import onnxruntime

from network import MULTIPLE_OF


class OnnxDenoiser:
    def __init__(self, path, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options)

    def __call__(self, image, noise):
        """Complex image [rows, columns], standard deviation of its real part (number or [rows, columns]) -> complex."""
        rows, columns = image.shape
        noise = np.broadcast_to(np.asarray(noise, np.float32), image.shape)
        fill = [(0, -n % MULTIPLE_OF) for n in image.shape]
        image, noise = np.pad(image, fill, 'reflect'), np.pad(noise, fill, 'reflect')
        feed = {
            'image': np.stack((image.real, image.imag))[None].astype(np.float32),
            'noise': noise[None, None].astype(np.float32),
        }
        real, imaginary = self.session.run(None, feed)[0][0]
        return (real + 1j * imaginary)[:rows, :columns]
