#!/usr/bin/env python3
"""Make src/hdf5Template.generated.ts: the empty HDF5 file that createMrdFile starts from.

h5wasm can fill, resize and link datasets of any type, but it cannot create a type with array or
variable-length members. So the types come from here: a file whose group `~` holds empty datasets,
one for acquisitions, one for waveforms and one for the headers of each image group. The writer links
those that it needs to their names and drops the link to `~` at the end.

Needs h5py and numpy:  python3 template/make_template.py
"""
import base64
import gzip
import os
import tempfile

import h5py
import numpy as np

IMAGE_GROUPS = 32

counters = np.dtype(
    [(name, "<u2") for name in (
        "kspace_encode_step_1", "kspace_encode_step_2", "average", "slice", "contrast",
        "phase", "repetition", "set", "segment")]
    + [("user", "<u2", (8,))])

orientation = [(name, "<f4", (3,)) for name in
               ("position", "read_dir", "phase_dir", "slice_dir", "patient_table_position")]
user = [("user_int", "<i4", (8,)), ("user_float", "<f4", (8,))]

acquisition_header = np.dtype(
    [("version", "<u2"), ("flags", "<u8"), ("measurement_uid", "<u4"), ("scan_counter", "<u4"),
     ("acquisition_time_stamp", "<u4"), ("physiology_time_stamp", "<u4", (3,)),
     ("number_of_samples", "<u2"), ("available_channels", "<u2"), ("active_channels", "<u2"),
     ("channel_mask", "<u8", (16,)), ("discard_pre", "<u2"), ("discard_post", "<u2"),
     ("center_sample", "<u2"), ("encoding_space_ref", "<u2"), ("trajectory_dimensions", "<u2"),
     ("sample_time_us", "<f4")]
    + orientation + [("idx", counters)] + user)
assert acquisition_header.itemsize == 340

image_header = np.dtype(
    [("version", "<u2"), ("data_type", "<u2"), ("flags", "<u8"), ("measurement_uid", "<u4"),
     ("matrix_size", "<u2", (3,)), ("field_of_view", "<f4", (3,)), ("channels", "<u2")]
    + orientation
    + [(name, "<u2") for name in ("average", "slice", "contrast", "phase", "repetition", "set")]
    + [("acquisition_time_stamp", "<u4"), ("physiology_time_stamp", "<u4", (3,)),
       ("image_type", "<u2"), ("image_index", "<u2"), ("image_series_index", "<u2")]
    + user + [("attribute_string_len", "<u4")])
assert image_header.itemsize == 198

waveform_header = np.dtype(
    [("version", "<u2"), ("flags", "<u8"), ("measurement_uid", "<u4"), ("scan_counter", "<u4"),
     ("time_stamp", "<u4"), ("number_of_samples", "<u2"), ("channels", "<u2"),
     ("sample_time_us", "<f4"), ("waveform_id", "<u2")], align=True)
assert waveform_header.itemsize == 40

floats = h5py.vlen_dtype(np.dtype("<f4"))
acquisition = np.dtype([("head", acquisition_header), ("traj", floats), ("data", floats)])
waveform = np.dtype([("head", waveform_header), ("data", h5py.vlen_dtype(np.dtype("<u4")))])


def symbol_table_node(content):
    """Offset of the root group's only symbol table node, which lists `~` alone."""
    root_header = int.from_bytes(content[64:72], "little")  # the root entry of superblock 0
    scratch = content[80:96]
    tree = int.from_bytes(scratch[:8], "little")
    assert content[:8] == b"\x89HDF\r\n\x1a\n" and content[8] == 0 and root_header < len(content)
    assert content[tree:tree + 4] == b"TREE" and content[tree + 5] == 0
    node = int.from_bytes(content[tree + 32:tree + 40], "little")
    assert content[node:node + 4] == b"SNOD" and content[node + 6:node + 8] == b"\x01\x00"
    return node


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "template.h5")
    with h5py.File(path, "w", libver="earliest") as file:
        box = file.create_group("~")
        box.create_dataset("acquisitions", (0,), maxshape=(None,), chunks=(16,), dtype=acquisition)
        box.create_dataset("waveforms", (0,), maxshape=(None,), chunks=(16,), dtype=waveform)
        # One named type, so that each of the many datasets only refers to it.
        box["imageHeader"] = image_header
        for i in range(IMAGE_GROUPS):
            box.create_dataset(f"image{i}", (0,), maxshape=(None,), chunks=(8,), dtype=box["imageHeader"])
    with open(path, "rb") as file:
        content = file.read()

packed = base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
lines = "\n".join(f"  '{packed[i:i + 100]}'," for i in range(0, len(packed), 100))
target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "hdf5Template.generated.ts")
with open(target, "w", encoding="utf-8") as file:
    file.write(f"""// Made by template/make_template.py; not edited by hand.

/** Image groups that one file can hold. */
export const TEMPLATE_IMAGE_GROUPS = {IMAGE_GROUPS};
/** Where the root group's symbol table node begins. */
export const TEMPLATE_ROOT_NODE = {symbol_table_node(content)};
/** The file, gzip in base64. */
export const TEMPLATE = [
{lines}
].join('');
""")
print(f"{len(content)} bytes, {len(packed)} packed")
