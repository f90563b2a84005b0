"""The `groundswell` command and Make's targets: what reaches a command, what it imports, what its exit codes mean."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from ingestion import landing
from ingestion.config import PROJECT_DIR, Settings
from warehouse.cli.command import PREFIX
from warehouse.cli.main import cli

COMMANDS = [
    "nightly", "sample", "plan", "backfill", "capture", "expire", "terms", "watch", "airflow", "preview", "quarantine", "replay", "reject", "acknowledge",
    "erase", "releases", "rollback", "postgres", "doctor", "account", "shortlist", "metrics", "mcp", "bi", "spark", "docs", "init", "config", "completion",
]  # fmt: skip
HEAVY = ("airflow", "dbt", "great_expectations", "duckdb", "metricflow", "pandas")


def environment(**more: str) -> dict[str, str]:
    """This environment without what the make that runs these tests was given, and without settings."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MAKE", "MFLAGS", "GROUNDSWELL_", "AIRFLOW"))
    }
    return {**kept, **more}


@pytest.fixture(scope="module")
def spy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program in place of `groundswell` that prints its arguments and what Make hands on, as JSON."""
    program = tmp_path_factory.mktemp("spy") / "spy"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"given = {{k: v for k, v in os.environ.items() if k.startswith({PREFIX!r})}}\n"
        "print(json.dumps([sys.argv[1:], given, os.environ.get('GROUNDSWELL_DATA')]))\n"
    )
    program.chmod(0o755)
    return program


def make(spy: Path, *arguments: str) -> tuple[list[str], dict[str, str], str | None]:
    """What a target of Make would call and hand on."""
    done = subprocess.run(
        ["make", "-s", "-C", str(PROJECT_DIR), *arguments, f"GROUNDSWELL={spy}"],
        env=environment(LANGUAGE="de_DE"), capture_output=True, text=True, check=True,
    )  # fmt: skip
    called, given, data = json.loads(done.stdout.splitlines()[-1])
    return called, {key.removeprefix(PREFIX): value for key, value in given.items()}, data


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["doctor"], {}),
        (["doctor", "QUICK=1"], {"QUICK": "1"}),
        (["quarantine", "FEED=orders", "OUT=a b.csv"], {"FEED": "orders", "OUT": "a b.csv"}),
        (["replay", "BATCH=ab12", "REVIVE=1"], {"BATCH": "ab12", "REVIVE": "1"}),
        (["nightly", "DATE=2026-01-05"], {"DATE": "2026-01-05"}),
        (["shortlist", "FOLLOWERS=1000", "CITY=New York"], {"FOLLOWERS": "1000", "CITY": "New York"}),
        (["account", "PLATFORM=youtube", 'ID=it\'s "x"'], {"PLATFORM": "youtube", "ID": 'it\'s "x"'}),
    ],
)
def test_make_hands_its_variables_on(spy: Path, arguments: list[str], given: dict[str, str]) -> None:
    """And nothing of the shell's: LANGUAGE stands in every environment here."""
    assert make(spy, *arguments) == ([arguments[0]], given, None)


@pytest.mark.parametrize(
    "text", ["$(shell touch {0})", "`touch {0}`", "$$(touch {0})", "x; touch {0}", "' touch {0} '"]
)
@pytest.mark.parametrize(
    "target",
    [
        "account PLATFORM=x ID",
        "reject WHY=x BATCH",
        "acknowledge CHECK=x DATE=2026-01-05 WHY",
        "plan DATE",
        "preview FILE",
    ],
)
def test_what_stands_on_makes_command_line_is_text(spy: Path, tmp_path: Path, target: str, text: str) -> None:
    """Make expands nothing in it and no shell reads it: it arrives sign by sign and nothing of it runs."""
    *rest, name = target.split()
    written = text.format(tmp_path / "ran")
    _, given, _ = make(spy, *rest, f"{name}={written}")
    assert given[name] == written
    assert not (tmp_path / "ran").exists()


def test_settings_reach_the_command_by_their_own_names(spy: Path) -> None:
    assert make(spy, "plan", "GROUNDSWELL_DATA=/some where") == (["plan"], {}, "/some where")


def test_every_target_of_make_that_calls_the_command_names_one_that_exists() -> None:
    called = {
        line.split()[1]
        for line in (PROJECT_DIR / "Makefile").read_text().splitlines()
        if line.startswith("\t@$(GROUNDSWELL) ")
    }
    assert list(cli.commands) == COMMANDS
    assert called == set(COMMANDS) - {"init", "config", "completion", "watch", "sample"}


def test_help_imports_nothing_heavy() -> None:
    """Of every command, so that `--help` and the shell's completion answer at once."""
    code = (
        "import sys\nfrom warehouse.cli.main import cli\n"
        f"for name in [[], *([n] for n in {COMMANDS!r})]:\n"
        "    try: cli.main([*name, '--help'], prog_name='groundswell')\n"
        "    except SystemExit as ended: assert not ended.code\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
    assert "Exit codes: 0 done, 1 failed, 2 wrong usage." in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name: str) -> None:
    command = cli.commands[name]
    assert (command.help or "").strip().endswith((".", ". ", '"'))
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, param
        if name != "completion":
            assert str(param.envvar).startswith(PREFIX), param


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_completion(shell: str, groundswell: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert groundswell("completion", shell) == 0
    assert "_GROUNDSWELL_COMPLETE" in capsys.readouterr().out


def test_completion_names_commands_feeds_and_releases(tmp_path: Path) -> None:
    (tmp_path / "published" / "releases" / "20260105T0203-ab").mkdir(parents=True)

    def completed(words: str) -> list[str]:
        done = run(tmp_path, COMP_WORDS=words, COMP_CWORD=str(words.count(" ")), _GROUNDSWELL_COMPLETE="bash_complete")
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("groundswell back") == ["backfill"]
    assert completed("groundswell quarantine --feed commission") == ["commission_rules"]
    assert completed("groundswell rollback --to 2026") == ["20260105T0203-ab"]


def run(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "warehouse.cli", *arguments],
        env=environment(GROUNDSWELL_DATA=str(data), **more),
        cwd=PROJECT_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_programs_on_an_empty_warehouse(tmp_path: Path) -> None:
    exported = run(tmp_path, "quarantine")
    assert exported.returncode == 0
    assert exported.stdout.startswith("quarantine is empty")
    assert (tmp_path / "reports" / "quarantine.csv").exists()
    asked = run(tmp_path, "replay", "--dry-run")
    assert (asked.returncode, asked.stdout) == (0, "no file is quarantined and no row quarantined: nothing to replay\n")
    looked = run(tmp_path, "doctor", "--quick")
    assert "\x1b" not in looked.stdout
    assert "release      none yet" in looked.stdout


@pytest.mark.parametrize("command", ["quarantine", "replay"])
def test_what_cannot_be_done_ends_with_a_sentence_and_a_code(tmp_path: Path, command: str) -> None:
    unknown = run(tmp_path, command, "--feed", "order")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("no feed is named 'order'; known: account_snapshots")
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state" / "ledger.sqlite").write_bytes(b"no database" * 1000)
    damaged = run(tmp_path, command)
    assert damaged.returncode == 1
    assert damaged.stderr == "the ledger cannot be read (file is not a database); make doctor says more\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nightly", "--day", "2099-01-01"], "2099-01-01 is in the future"),
        (["nightly", "--day", "soon"], "'soon' is no day; write it as 2026-01-05"),
        (["plan", "--day", "2026-02-30"], "'2026-02-30' is no day"),
        (["backfill", "--from", "2026-01-05", "--to", "2026-01-01"], "is reversed; name the earlier day first"),
        (["backfill", "--from", "2026-01-05"], "Missing option '--to'"),
        (["reject", "ab12"], "0 accepted batches begin with 'ab12'"),
        (["rollback", "--to", "nosuch"], "no release 'nosuch' is kept"),
        (["erase", "youtube"], "Missing argument 'ACCOUNT'"),
        (["airflow", "--port", "99999"], "99999 is not in the range"),
        (["spark", "start", "--worker-memory", "2"], "'2' is no memory of 512m or more; write it as 2g or 1500m"),
        (["spark", "start", "--driver-memory", "511m"], "'511m' is no memory of 512m or more"),
        (["spark", "start", "--port", "0"], "0 is not in the range"),
        (["nosuch"], "No such command 'nosuch'"),
    ],
)
def test_what_is_requested_wrongly_ends_with_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    done = run(tmp_path, "releases", GROUNDSWELL_KEEP_RELEASES="0")
    assert done.returncode == 2
    assert "the settings cannot be read" in done.stderr
    assert "keep_releases" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_of_ours_is_not_hidden(tmp_path: Path) -> None:
    """The negative of the sentences above: what nobody foresaw keeps its traceback."""
    (tmp_path / "reports").write_text("no folder")
    done = run(tmp_path, "quarantine")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_quarantined_rows_that_cannot_be_read(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path, settle_seconds=0.0)  # type: ignore[call-arg]
    landed = tmp_path / "landing" / "accounts" / "a.csv"
    landed.parent.mkdir(parents=True)
    landed.write_text("platform,account_id,updated_at\nyoutube,a,never\n")
    landing.land_files(settings, "run", lambda _: None)
    [kept] = (tmp_path / "quarantine" / "accounts").glob("*.parquet")
    kept.write_bytes(b"broken")
    done = run(tmp_path, "quarantine")
    assert done.returncode == 1
    assert done.stderr.startswith("quarantined rows cannot be read (")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "variable", "said"),
    [
        ("shortlist", "CREATORS", "make shortlist knows no CREATORS; it knows FOLLOWERS, REACH"),
        ("nightly", "DAY", "make nightly knows no DAY; it knows DATE"),
        ("releases", "TO", "make releases knows no TO; it knows no variable"),
        ("spark start", "CORES", "make spark-start knows no CORES; it knows PORT, MASTER_PORT"),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(tmp_path: Path, command: str, variable: str, said: str) -> None:
    """A misspelt limit of a shortlist would be no limit."""
    done = run(tmp_path, *command.split(), **{f"{PREFIX}{variable}": "3"})
    assert done.returncode == 2
    assert said in done.stderr


def test_variables_of_make_fill_options_and_arguments(tmp_path: Path) -> None:
    assert "no release 'r1' is kept" in run(tmp_path, "rollback", MAKE_GIVEN_TO="r1").stderr
    given = {"MAKE_GIVEN_PLATFORM": "youtube", "MAKE_GIVEN_ID": "c"}
    assert "no release has been published yet" in run(tmp_path, "account", **given).stderr
    assert run(tmp_path, "replay", MAKE_GIVEN_WHAT="1").stdout.startswith("no file is quarantined")


def test_init_writes_a_commented_start_and_nothing_over_it(tmp_path: Path) -> None:
    def init() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "warehouse.cli", "init"],
            env=environment(PYTHONPATH=str(PROJECT_DIR)), cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip

    said = init().stdout
    assert "every setting, commented out" in said
    assert f"written  {tmp_path / 'config' / 'tier_schemes.csv'}: the package's values, commented out" in said
    written = (tmp_path / ".env").read_text()
    assert [line for line in written.splitlines() if line and not line.startswith("#")] == []
    assert "# GROUNDSWELL_REQUIRED_FEEDS=" in written
    assert (tmp_path / "data" / "landing" / "orders").is_dir()
    (tmp_path / ".env").write_text("GROUNDSWELL_KEEP_RELEASES=3\n")
    assert f"kept     {tmp_path / '.env'}" in init().stdout
    assert (tmp_path / ".env").read_text() == "GROUNDSWELL_KEEP_RELEASES=3\n"


def test_an_erasure_lists_what_a_person_must_know_of(
    groundswell: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ingestion.erasure import Erased

    found = Erased(1, 2, 3, ["orders/a\nb.csv"], ["quarantine/cut.xlsx", "landing/\x1bx"], ["airflow/airflow.db"])
    monkeypatch.setattr("warehouse.pipeline.erase", lambda *_: found)
    assert groundswell("erase", "youtube", "a") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "still in landing, not yet taken in, and kept out when they are: orders/a\\nb.csv",
        "removed, since they could not be read to their end and may have held it; ask for them again:"
        " quarantine/cut.xlsx, landing/\\x1bx",
        "still named in, to be removed by hand: airflow/airflow.db",
    ]


def test_an_erasure_that_postgresql_stops_says_that_it_is_not_finished(
    groundswell: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ingestion.errors import TargetUnavailable

    def erase(*_: object) -> None:
        raise TargetUnavailable("PostgreSQL may still hold it")

    monkeypatch.setattr("warehouse.pipeline.erase", erase)
    assert groundswell("erase", "youtube", "a") == 1
    assert capsys.readouterr().err == (
        "PostgreSQL may still hold it\nNOT FINISHED: mend this and run `make erase` again\n"
    )
