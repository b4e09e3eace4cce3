"""The command: `python -m image.sidecar --log-file FILE`."""

from __future__ import annotations

import argparse
import signal
import sys
from functools import partial
from pathlib import Path
from threading import Event, Thread

from goldfleet.contract.clone import UserData
from goldfleet.errors import GoldfleetError
from image.launch import log
from image.launch.aws import Aws
from image.launch.environment import replicas_file
from image.launch.launcher import runtime_folder
from image.launch.metadata import Metadata
from image.sidecar.replica_lists import ReplicaLists
from image.sidecar.shipper import Shipper
from image.sidecar.source import LogFile

EPILOG = """\
environment:
  AWS_EC2_METADATA_SERVICE_ENDPOINT  the metadata service, default http://169.254.169.254
  RUNTIME_DIRECTORY                  as --runtime-directory: the launcher's

Lines go to the log group that the user data names, in a stream named after the instance. What is shipped is given back
to the file system by a hole at the start of the file; the newest 256 KiB stay. The file must be opened for appending by
its writer. Stop it by SIGTERM after the app has ended: it ships what is left, for at most 5 seconds, and exits with 0.

example:
  python -m image.sidecar --log-file /run/goldfleet/console.log --runtime-directory /run/goldfleet
"""


def run(log_file: Path, runtime: Path, stop: Event) -> None:
    """Ships and follows until `stop` is set.

    Raises:
        ContractError: the metadata or the user data cannot be read.
    """
    clone = Metadata().clone()
    user_data = UserData.from_text(clone.user_data)
    aws = Aws(user_data)
    lists = ReplicaLists(
        partial(aws.client, "ssm"),
        {shard.replicas_parameter: replicas_file(runtime, n) for n, shard in enumerate(user_data.shards)},
    )
    Thread(target=lists.run, args=(stop,), name="replica lists", daemon=True).start()
    source = LogFile(log_file)
    try:
        Shipper(partial(aws.client, "logs"), user_data.log_group, clone.instance_id, source).run(stop)
    finally:
        source.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m image.sidecar",
        description="Beside the app: ships its log lines to CloudWatch Logs, keeps the lists of replicas up to date.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--log-file", type=Path, required=True, metavar="FILE", help="where the app's lines are appended"
    )
    parser.add_argument("--runtime-directory", metavar="DIR", help="the launcher's folder")
    arguments = parser.parse_args()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        run(arguments.log_file, runtime_folder(arguments.runtime_directory), stop)
    except GoldfleetError as error:
        log.line("error", "sidecar failed", reason=str(error), exit_code=1)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
