"""What highdicom and pydicom find in multi-frame objects, as JSON: for each OBJECT its volume, in patient coordinates.

affine          from [slice, row, column] to LPS, mm
values          as the transformations of the object give them, [slice, row, column]
realWorld       the same by its real world value mapping
"""
import json
import sys

import highdicom as hd
import pydicom


def described(path):
    image = hd.imread(path)
    volume = image.get_volume(dtype="float64", apply_real_world_transform=False, apply_modality_transform=True)
    mapped = image.get_volume(dtype="float64", apply_real_world_transform=True)
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    return {
        "affine": volume.affine.tolist(),
        "shape": list(volume.array.shape),
        "values": volume.array.ravel().tolist(),
        "realWorld": mapped.array.ravel().tolist(),
        "synthetic": str(dataset[0x0008001C].value),
        "imageType": list(dataset.ImageType),
        "frameType": list(shared.MRImageFrameTypeSequence[0].FrameType),
        "sources": [item.ReferencedSOPInstanceUID for item in shared.DerivationImageSequence[0].SourceImageSequence],
    }


print(json.dumps([described(path) for path in sys.argv[1:]]))
