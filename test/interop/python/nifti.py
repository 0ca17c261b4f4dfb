"""nibabel reads a NIfTI file, or writes one.

nifti.py read FILE          a line of JSON about the file, then its values as float32, first axis fastest
nifti.py write FILE SPEC    SPEC: JSON with shape, dtype (numpy's, with byte order), affine (RAS, 12 numbers),
                            form ("sform" or "qform"), slope, inter; the stored numbers are 0, 1, 2 ... modulo 97
"""
import json
import sys

import nibabel
import numpy as np


def read(file):
    image = nibabel.load(file)
    header = image.header
    sform, sform_code = header.get_sform(coded=True)
    qform, qform_code = header.get_qform(coded=True)
    values = np.asarray(image.dataobj).astype("<f4")
    about = {
        "shape": image.shape,
        "dtype": header.get_data_dtype().name,
        "affine": image.affine[:3].ravel().tolist(),
        "sform": sform[:3].ravel().tolist(),
        "qform": qform[:3].ravel().tolist(),
        "codes": [int(sform_code), int(qform_code)],
        "zooms": [float(zoom) for zoom in header.get_zooms()],
        "unit": header.get_xyzt_units()[0],
    }
    sys.stdout.buffer.write((json.dumps(about) + "\n").encode())
    sys.stdout.buffer.write(values.tobytes(order="F"))


def write(file, spec):
    affine = np.vstack([np.reshape(spec["affine"], (3, 4)), [0, 0, 0, 1]])
    dtype = np.dtype(spec["dtype"])
    stored = (np.arange(np.prod(spec["shape"])) % 97).reshape(spec["shape"], order="F").astype(dtype)
    header = nibabel.Nifti1Header(endianness=">" if spec["dtype"].startswith(">") else "<")
    image = nibabel.Nifti1Image(stored, affine, header=header, dtype=dtype)
    image.set_sform(affine, code=1 if spec["form"] == "sform" else 0)
    image.set_qform(affine, code=1 if spec["form"] == "qform" else 0)
    image.header.set_slope_inter(spec["slope"], spec["inter"])
    nibabel.save(image, file)


if sys.argv[1] == "read":
    read(sys.argv[2])
else:
    write(sys.argv[2], json.loads(sys.argv[3]))
