"""What the commands of `groundswell` share: exit codes, errors, and what Make hands on.

Exit codes: 0 done, 1 failed, 2 wrong usage. `make <target> NAME=value` hands its variables on as `MAKE_GIVEN_<NAME>`
in the environment, never through a shell's command line, so a value is text whatever it holds.
"""

import os
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import click

PREFIX = "MAKE_GIVEN_"
DONE, FAILED, USAGE_ERROR = 0, 1, 2


class Day(click.ParamType[date]):
    """A UTC day, YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day as a date. Fails with the form that is expected."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-01-05", param, ctx)


class Memory(click.ParamType[str]):
    """Memory of a Java process: `2g`, `512m`."""

    name = "memory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The memory as it is written. Fails with the form that is expected, or under 512 MB, where Spark ends."""
        found = re.fullmatch(r"(\d{1,6})([mg])", str(value).lower())
        if not found or int(found[1]) * (1024 if found[2] == "g" else 1) < 512:
            self.fail(f"{value!r} is no memory of 512m or more; write it as 2g or 1500m", param, ctx)
        return found[0]


class Command(click.Command):
    """A command that says an error in one line and ends with its exit code."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, whole."""
        return super().get_short_help_str(limit=200)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a variable of Make that the command does not know ends the call."""
        known = {str(param.envvar).removeprefix(PREFIX): param for param in self.params if param.envvar}
        unknown = sorted({key.removeprefix(PREFIX) for key in os.environ if key.startswith(PREFIX)} - set(known))
        if unknown:
            names = ", ".join(known) or "no variable"
            target = "-".join(ctx.command_path.split()[1:])
            click.echo(f"make {target} knows no {', '.join(unknown)}; it knows {names}", err=True)
            ctx.exit(USAGE_ERROR)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it returns is its exit code."""
        try:
            code = super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            found = explain(error)
            if found is None:
                raise
            code, message = found
            click.echo(message, err=True)
        ctx.exit(code or DONE)


def explain(error: Exception) -> tuple[int, str] | None:
    """Exit code and words of an error that a person can act on; null for one that is ours."""
    from pydantic import ValidationError

    from ingestion import ledger
    from ingestion.errors import ContractError, DamagedBuild, LeaseLost, TargetUnavailable, UsageError

    if isinstance(error, UsageError):
        return USAGE_ERROR, str(error)
    if isinstance(error, ContractError | DamagedBuild | LeaseLost | TargetUnavailable):
        return FAILED, str(error)
    if isinstance(error, ledger.Error):
        return FAILED, f"the ledger cannot be read ({error}); make doctor says more"
    if isinstance(error, ValidationError) and error.title == "Settings":
        return USAGE_ERROR, f"the settings cannot be read: {error}"
    return None


class Group(click.Group):
    """The commands in the order of a day's work, not of the alphabet."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of definition."""
        return list(self.commands)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="groundswell", message="groundswell %(version)s")
def cli() -> None:
    """Groundswell: a nightly warehouse for creator marketing.

    Data lies under one folder: GROUNDSWELL_DATA, else ./data of the folder that you are in.
    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


def option(flag: str, variable: str, text: str, *, name: str | None = None, **rest: Any) -> Callable[..., Any]:
    """An option that Make's variable fills too; `name` is the function's parameter where the flag is no name."""
    return click.option(*([flag, name] if name else [flag]), envvar=f"{PREFIX}{variable}", help=text, **rest)


def argument(name: str, variable: str, **rest: Any) -> Callable[..., Any]:
    """An argument that Make's variable fills too."""
    return click.argument(name, envvar=f"{PREFIX}{variable}", **rest)
