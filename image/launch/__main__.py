"""The command: `python -m image.launch --layer DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from goldfleet.errors import GoldfleetError
from image.launch import log
from image.launch.launcher import launch, runtime_folder
from image.launch.metadata import Metadata

EPILOG = """\
environment:
  AWS_EC2_METADATA_SERVICE_ENDPOINT  the metadata service, default http://169.254.169.254
  RUNTIME_DIRECTORY                  as --runtime-directory

It reads the instance's user data, fetches the secrets it names with the instance role's credentials, writes password
files and replica lists into the runtime folder (0600 in 0700), runs the app's migration, and then becomes the app.
The app sees the layer's packages and its own variables, nothing else of this machine. Standard output and error are
the app's. A failure is one JSON line on standard error; exit code 1.

example:
  python -m image.launch --layer /srv/app --runtime-directory /run/goldfleet
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m image.launch",
        description="Turns this instance into a clone of its release: metadata, secrets, migration, app.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--layer", type=Path, required=True, metavar="DIR", help="root of the app layer")
    parser.add_argument("--runtime-directory", metavar="DIR", help="folder on a tmpfs for passwords and lists")
    arguments = parser.parse_args()
    try:
        launch(arguments.layer, runtime_folder(arguments.runtime_directory), Metadata())
    except GoldfleetError as error:
        log.line("error", "launch failed", reason=str(error), exit_code=1)
        return 1


if __name__ == "__main__":
    sys.exit(main())
