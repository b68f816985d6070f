"""The command line: `python -m resnet_demo COMMAND`. Results go to standard output, messages to standard error."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from resnet_demo import __version__
from resnet_demo.commands import classify, compare, evaluate, import_, keep, models, prefetch, publish, train, transfer
from resnet_demo.errors import ResNetDemoError, SettingError

ENDED_BY_SIGPIPE = 141
"""128 + 13: the exit status that a shell reports for a program whose output nobody reads any more, as in `… | head`."""
COMMANDS = (train, compare, transfer, keep, classify, evaluate, models, prefetch, import_, publish)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 failed, 2 not understood, 130 interrupted, 141 output not read, 143 ended by SIGTERM.
    """
    parsed = parser().parse_args(arguments)
    try:
        return int(parsed.command(parsed))
    except ResNetDemoError as error:
        print(f"resnet_demo: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingError) else 1
    except OSError as error:
        return _disk_error(error)
    except KeyboardInterrupt:
        print("resnet_demo: interrupted.", file=sys.stderr)
        return 130


def _disk_error(error: OSError) -> int:
    """The exit status for an error that no command expected: a file that cannot be used, a full disk, an output nobody reads."""
    if isinstance(error, BrokenPipeError):
        return ENDED_BY_SIGPIPE
    where = f": {error.filename}" if error.filename else "."
    print(f"resnet_demo: {error.strerror or error}{where}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(prog="python -m resnet_demo", description="See why residual networks work.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return top


def end_process(status: int) -> NoReturn:
    """Exit with the status; under torchrun, without interpreter shutdown.

    A DistributedDataParallel keeps gloo's threads alive after `destroy_process_group` (torch 2.14), and a thread that still
    runs during shutdown now and then aborts the process, after all its work was done.
    """
    try:
        sys.stdout.flush()
    except OSError as error:  # interpreter shutdown would flush once more, and print a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = _disk_error(error)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        logging.shutdown()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    end_process(main())
