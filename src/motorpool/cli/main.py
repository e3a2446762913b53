"""The command `motorpool`: its verbs, and what happens when one fails.

Exit codes: 0 done; 1 something unexpected; 2 the input cannot be used (one message, nothing written);
130 interrupted (nothing half-written).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import typer

from motorpool.cli import (
    benchmark,
    calibrate,
    cells,
    credibility,
    doctor,
    evidence,
    init,
    offer,
    parameters,
    report,
    scenarios,
    serve,
    simulate,
    studies,
    trial,
    validate,
)

HELP = """Simulate treatment plans for spinal muscular atrophy in virtual patients, and read what is known.

\b
First steps:
  motorpool demo                     a report of infants with type 1 SMA
  motorpool scenarios                plans that come with motorpool
  motorpool init my_study.yaml       a commented scenario file to change
  motorpool simulate my_study.yaml   simulate it and write a report
  motorpool trial power my_trial.yaml  which study would find out, and with how many people
  motorpool serve                    the web page: explore plans live
  motorpool evidence search walking  what is known, with sources
  motorpool validate                 what the model predicts of studies it never saw

Research software: it does not replace a doctor's judgement."""

INTERRUPTED = 130

app = typer.Typer(
    name="motorpool",
    help=HELP,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("demo")(simulate.demo)
app.command("init")(init.init)
app.command("simulate")(simulate.simulate)
app.add_typer(scenarios.app, name="scenarios")
app.add_typer(parameters.app, name="parameters")
app.add_typer(evidence.app, name="evidence")
app.add_typer(studies.app, name="studies")
app.add_typer(trial.app, name="trial")
app.add_typer(cells.app, name="cells")
app.add_typer(offer.app, name="offer")
app.command("calibrate")(calibrate.calibrate)
app.command("validate")(validate.validate)
app.command("credibility")(credibility.credibility)
app.command("report")(report.report)
app.command("serve")(serve.serve)
app.command("benchmark")(benchmark.benchmark)
app.command("doctor")(doctor.doctor)


def _show_version(value: bool) -> None:
    if value:
        from motorpool import __version__

        print(f"motorpool {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", callback=_show_version, is_eager=True
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an unexpected error."),
) -> None:
    """Options before the verb; `--debug` is understood anywhere and read in `run`."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; every failure becomes one message on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given or bool(os.environ.get("MOTORPOOL_DEBUG"))
    given = [argument for argument in given if argument != "--debug"] or ["--help"]
    previous = _end_like_an_interrupt()
    try:
        code = app(args=given, prog_name="motorpool", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The reader of our output has gone, as in `motorpool scenarios | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, typer.Abort):
        _say("Interrupted; nothing half-written was left behind.")
        return INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:
        return _explain(error, debug)
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


def _end_like_an_interrupt() -> Any:
    """Let a polite request to end clean up as Ctrl-C does, where possible; return the earlier handler."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        return signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # only the main thread may handle signals
        return None


def _explain(error: Exception, debug: bool) -> int:
    """Print one message for an error and return the exit code."""
    if debug:
        import traceback

        traceback.print_exc()
    format_message = getattr(error, "format_message", None)
    if callable(format_message):  # a verb or an option was misspelt
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", "motorpool")
        _say(f"{format_message()}\nSee `{command} --help`.")
        return 2
    if getattr(error, "exit_code", None) == 2:  # the input cannot be used
        _say(str(error))
        return 2
    if isinstance(error, MemoryError):
        _say("There is not enough memory; lower --patients or uncertainty.knowledge_draws.")
        return 1
    if isinstance(error, OSError) and error.filename is not None:
        _say(f"{error.filename}: {error.strerror}.")
        return 1
    from motorpool import __version__

    _say(
        f"Something unexpected happened: {type(error).__name__}: {error}\n"
        "Please report it with the scenario file, the command, and the output of `motorpool doctor` "
        f"(motorpool {__version__}, Python {sys.version.split()[0]}).\n"
        "Run the same command with --debug to see where it happened."
    )
    return 1


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
