"""How a guest's connection comes to the relays: `python door.py SOCKET NAME`, started by QEMU for each connection.

Standard input is the connection; it is handed over, and this process ends.
"""

import os
import socket
import sys

folder, name = os.path.split(sys.argv[1])
os.chdir(folder)  # a socket's path may have 107 bytes, one that is relative is short
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as relays:
    relays.settimeout(5)
    relays.connect(name)
    socket.send_fds(relays, [sys.argv[2].encode()], [sys.stdin.fileno()])
