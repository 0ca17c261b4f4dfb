"""Between ISMRMRD files and streams, by the ismrmrd package alone.

usage: convert.py stream IN.h5 CONFIG OUT.mrd
       convert.py file IN.mrd OUT.h5
       convert.py copy IN.h5 OUT.h5        (its images)
"""
import sys

import ismrmrd
from ismrmrd.serialization import ConfigFile, ProtocolDeserializer, ProtocolSerializer


def file_to_stream(source, config, target):
    with ismrmrd.Dataset(source, "dataset", mode="r") as dataset, ProtocolSerializer(target) as serializer:
        serializer.serialize(ConfigFile(config))
        serializer.serialize(ismrmrd.xsd.CreateFromDocument(dataset.read_xml_header()))
        for i in range(dataset.number_of_acquisitions()):
            serializer.serialize(dataset.read_acquisition(i))


def stream_to_file(source, target):
    with ismrmrd.Dataset(target, "dataset", mode="w") as dataset, ProtocolDeserializer(source) as deserializer:
        for item in deserializer.deserialize():
            if isinstance(item, ismrmrd.Image):
                dataset.append_image(f"image_{item.image_series_index}", item)


def copy_images(source, target):
    with ismrmrd.Dataset(source, "dataset", mode="r") as original, ismrmrd.Dataset(target, "dataset", mode="w") as copy:
        for group in original.list():
            if group.startswith("image"):
                for i in range(original.number_of_images(group)):
                    copy.append_image(group, original.read_image(group, i))


{"stream": file_to_stream, "file": stream_to_file, "copy": copy_images}[sys.argv[1]](*sys.argv[2:])
