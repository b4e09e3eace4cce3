"""The app as the machine sees it: port, paths, stop signal, user, commands."""

from __future__ import annotations

import signal

PORT = 8000
HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
STOP_SIGNAL = signal.SIGTERM
USER = "goldfleet"
UNIT = "goldfleet-app.service"
"""Of systemd, in an image with an OS layer."""
CA_BUNDLE = "/etc/goldfleet/ca.pem"
"""Authorities of the stores, in an image with an OS layer."""

# Run with the app layer's root as working directory and its site-packages first on the path.
SERVE_COMMAND = ("-m", "app")
MIGRATE_COMMAND = ("-m", "app.migrate")

# Inside an app layer.
LAYER_MANIFEST = "manifest.json"
LAYER_SITE_PACKAGES = "site-packages"
