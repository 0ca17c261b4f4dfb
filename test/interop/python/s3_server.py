"""moto's stand-in for S3 on a free port of loopback, which checks signatures after the first four requests.

Prints the port, and ends when stdin does.
"""
import os
import sys

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

from moto.server import ThreadedMotoServer  # noqa: E402

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
