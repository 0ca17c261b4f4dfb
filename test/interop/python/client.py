"""A client of the ismrmrd package: plays a scan over TCP, reads the answer to CLOSE, prints what it found as JSON.

usage: client.py HOST PORT CONFIG PARAMETERS full|accelerated
"""
import json
import socket
import sys
import threading

import ismrmrd
import numpy as np
from ismrmrd.serialization import ConfigFile, ProtocolDeserializer, ProtocolSerializer

import fourier
import scan as scanned


class Exactly:
    """The package takes what read() gives for the whole; a socket may give less."""

    def __init__(self, stream):
        self._stream = stream

    def read(self, n):
        data = self._stream.read(n)
        if len(data) < n:
            raise EOFError(f"{len(data)} bytes of {n}")
        return data


def send(stream, scan, config, parameters, fully_sampled):
    serializer = ProtocolSerializer(stream)
    serializer.serialize(ConfigFile(config))
    serializer.serialize(scanned.header(fully_sampled))
    serializer.serialize(json.dumps({"version": "1.1.0", "parameters": parameters}))
    for message in scan.messages(fully_sampled):
        serializer.serialize(message)
    serializer.close()


def verdict(image, scan, fully_sampled):
    header = image.getHead()
    meta = ismrmrd.Meta.deserialize(image.attribute_string)
    pixels = np.abs(image.data[0, 0]) * float(meta["RescaleSlope"])
    reference = scan.reference(header.slice, fully_sampled)
    scale = float(np.vdot(pixels, reference) / np.vdot(pixels, pixels))
    return {
        "dtype": str(image.data.dtype),
        "shape": image.data.shape,
        "imageType": header.image_type,
        "seriesIndex": header.image_series_index,
        "slice": header.slice,
        "measurementUid": header.measurement_uid,
        "acquisitionTimeStamp": header.acquisition_time_stamp,
        "fieldOfView": list(header.field_of_view),
        "errors": {
            "position": float(np.abs(np.array(header.position) - scanned.position(header.slice)).max()),
            "directions": float(
                max(
                    np.abs(np.array(direction) - truth).max()
                    for direction, truth in [
                        (header.read_dir, scanned.READ), (header.phase_dir, scanned.PHASE), (header.slice_dir, scanned.SLICE),
                        (np.array(meta["ImageRowDir"], float), scanned.READ),
                        (np.array(meta["ImageColumnDir"], float), scanned.PHASE),
                    ]
                )
            ),
            "nrmse": fourier.nrmse(pixels * scale, reference),
            "zeroFilled": fourier.nrmse(scan.zero_filled(header.slice), reference),
        },
        "scale": scale,
        "phaseSpread": float(np.angle(image.data[0, 0]).std()),
        "meta": meta,
    }


def main():
    host, port, config, parameters, sampling = sys.argv[1:]
    fully_sampled = sampling == "full"
    scan = scanned.Scan()
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        outgoing = connection.makefile("wb")
        sender = threading.Thread(target=send, args=(outgoing, scan, config, json.loads(parameters), fully_sampled))
        sender.start()
        incoming = connection.makefile("rb")
        # Ends at CLOSE, and raises EOFError where there is none.
        answers = list(ProtocolDeserializer(Exactly(incoming)).deserialize())
        rest = incoming.read()
        sender.join()
    print(
        json.dumps(
            {
                "bytesAfterClose": len(rest),
                "texts": [item for item in answers if isinstance(item, str)],
                "images": [verdict(item, scan, fully_sampled) for item in answers if isinstance(item, ismrmrd.Image)],
            }
        )
    )


main()
