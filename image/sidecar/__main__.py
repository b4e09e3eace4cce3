"""The command: `python -m image.sidecar --log-file FILE | --journal`."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import closing
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
from image.report import posture
from image.sidecar.journal import Journal
from image.sidecar.log_file import LogFile
from image.sidecar.replica_lists import ReplicaLists
from image.sidecar.shipper import Shipper
from image.sidecar.source import Source

EPILOG = """\
environment:
  AWS_EC2_METADATA_SERVICE_ENDPOINT  the metadata service, default http://169.254.169.254
  RUNTIME_DIRECTORY                  as --runtime-directory: the launcher's

Lines go to the log group that the user data names, in a stream named after the instance.
--log-file: what is shipped is given back to the file system by a hole at the start of the file; the newest 256 KiB
stay. The file must be opened for appending by its writer.
--journal: every entry since this boot began; lines of the units goldfleet-* as they wrote them, others as JSON lines.
At most 16 MiB wait; beyond that the oldest lines are dropped, and a line says how many.
Stop it by SIGTERM after the app has ended: it ships what is left, for at most 5 seconds, and exits with 0.

examples:
  python -m image.sidecar --log-file /run/goldfleet/console.log --runtime-directory /run/goldfleet
  python -m image.sidecar --journal --runtime-directory /run/goldfleet
"""


def run(source: Source, runtime: Path, stop: Event) -> None:
    """Ships `source` and follows the lists of replicas until `stop` is set.

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
    Shipper(partial(aws.client, "logs"), user_data.log_group, clone.instance_id, source).run(stop)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m image.sidecar",
        description="Beside the app: ships log lines to CloudWatch Logs, keeps the lists of replicas up to date.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--log-file", type=Path, metavar="FILE", help="where the app's lines are appended")
    source.add_argument("--journal", action="store_true", help="the journal of this machine, since it booted")
    parser.add_argument("--runtime-directory", metavar="DIR", help="the launcher's folder")
    arguments = parser.parse_args()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if arguments.journal:
        # Even a boot that is cut off has told which one it was.
        log.line("info", "the journal is shipped", machine_id=posture.machine_id())
    try:
        with closing(Journal() if arguments.journal else LogFile(arguments.log_file)) as lines:
            run(lines, runtime_folder(arguments.runtime_directory), stop)
    except GoldfleetError as error:
        log.line("error", "sidecar failed", reason=str(error), exit_code=1)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
