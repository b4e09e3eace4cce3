"""How a guest's connection comes to the relays: `python door.py SOCKET NAME`, started by QEMU for each connection.

Standard input is the connection; it is handed over, and this process ends.
"""

import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as relays:
    relays.settimeout(5)
    relays.connect(sys.argv[1])
    socket.send_fds(relays, [sys.argv[2].encode()], [sys.stdin.fileno()])
