"""The app as the machine sees it: port, paths, stop signal, user, commands."""

from __future__ import annotations

import signal

PORT = 8000
HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
STOP_SIGNAL = signal.SIGTERM
USER = "goldfleet"
CA_BUNDLE = "/etc/goldfleet/ca.pem"
"""Authorities that the app trusts, if the machine has this file: the system's and those of the stores."""

# Run with the app layer's root as working directory and its site-packages first on the path.
SERVE_COMMAND = ("-m", "app")
MIGRATE_COMMAND = ("-m", "app.migrate")

# Inside an app layer.
LAYER_MANIFEST = "manifest.json"
LAYER_SITE_PACKAGES = "site-packages"
