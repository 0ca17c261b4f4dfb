"""What highdicom and pydicom find in the objects of an analysis, as JSON.

seg SEGMENTATION IMAGE...    every segment with the points (LPS, mm) of its pixels: once by the segmentation's own geometry,
                             once by the geometry of the images that its frames refer to
sr REPORT                    the measurement groups
pixels CAPTURE               SHA-256 of the pixels
"""
import hashlib
import json
import sys

import highdicom as hd
import numpy as np
import pydicom


def code(item):
    return [item.value, item.scheme_designator, item.meaning]


def segmentation(path, *images):
    seg = hd.seg.segread(path)
    sources = [pydicom.dcmread(image) for image in images]
    uids = [source.SOPInstanceUID for source in sources]
    result = []
    for number in seg.segment_numbers:
        description = seg.get_segment_description(number)
        volume = seg.get_volume(segment_numbers=[number])
        own = volume.map_indices_to_reference(np.argwhere(volume.array[..., 0] > 0).astype(float))
        on_images = []
        frames = seg.get_pixels_by_source_instance(uids, segment_numbers=[number], ignore_spatial_locations=False)
        for source, frame in zip(sources, frames):
            rows, columns = np.nonzero(frame[..., 0])
            if len(rows):
                to_reference = hd.spatial.PixelToReferenceTransformer.for_image(source)
                on_images.extend(to_reference(np.stack([columns, rows], axis=1)).tolist())
        result.append({
            "label": description.segment_label,
            "type": code(description.segmented_property_type),
            "region": code(hd.sr.CodedConcept.from_dataset(description.AnatomicRegionSequence[0])),
            "sides": [item.CodeMeaning for item in description.AnatomicRegionSequence[0].get("AnatomicRegionModifierSequence", [])],
            "algorithm": [description.algorithm_type.value, description.algorithm_identification.name, code(description.algorithm_identification.family)],
            "own": own.tolist(),
            "onImages": on_images,
        })
    return result


def report(path):
    document = hd.sr.srread(path)
    groups = document.content.get_image_measurement_groups()
    return [
        {
            "tracking": group.tracking_identifier,
            "uid": group.tracking_uid,
            "sites": [code(site.value) for site in group.finding_sites],
            "measures": [[code(m.name)[2], m.value, m.unit.value, len(m.referenced_images)] for m in group.get_measurements()],
            "grades": [[code(e.name)[2], e.value.meaning] for e in group.get_qualitative_evaluations()],
            "segments": [
                [reference.ReferencedSOPInstanceUID, np.atleast_1d(reference.ReferencedSegmentNumber).tolist()]
                for item in group[0].ContentSequence
                if item.value_type == hd.sr.ValueTypeValues.IMAGE and item.name.value == "121191"
                for reference in item.ReferencedSOPSequence
            ],
        }
        for group in groups
    ]


def pixels(path):
    array = pydicom.dcmread(path).pixel_array
    return {"shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest()}


if __name__ == "__main__":
    task, *paths = sys.argv[1:]
    print(json.dumps({"seg": segmentation, "sr": report, "pixels": pixels}[task](*paths)))
