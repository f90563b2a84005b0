"""The `groundswell` command: each of its commands names its options and calls what does the work.

Nothing heavy is imported before a command runs, so that help and completion answer at once.
"""

import gc
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from warehouse.cli.command import DONE, FAILED, USAGE_ERROR, Day, Group, Memory, argument, cli, option

if TYPE_CHECKING:
    from ingestion.config import Settings

DAY = Day()
MEMORY = Memory()
PORT = click.IntRange(1, 65535)
SHELLS = ("bash", "zsh", "fish")


def release_ids(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Ids of the releases that are kept, for the shell's completion."""
    from ingestion.config import get_settings

    folder = get_settings().published / "releases"
    return sorted(path.name for path in folder.glob(f"{typed}*")) if folder.is_dir() else []


def feed_names(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Names of the feeds, for the shell's completion."""
    from ingestion.contracts import FEEDS_DIR

    return sorted(path.stem for path in FEEDS_DIR.glob(f"{typed}*.yml"))


def sample_names(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Names of the bundled samples, for the shell's completion."""
    from ingestion.sample import SAMPLES

    return sorted(name for name in SAMPLES if name.startswith(typed))


def source_names(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Names of the sources that are configured, for the shell's completion."""
    from ingestion.config import get_settings
    from ingestion.sources.settings import load_sources

    return sorted(name for name in load_sources(get_settings()) if name.startswith(typed))


# --- runs


@cli.command()
@option("--day", "DATE", "UTC day to build, YYYY-MM-DD; default: yesterday, of the sample its last day.", type=DAY)
def nightly(day: date | None) -> int:
    """Run the nightly job once, through the real DAG.

    Lands what is new, checks it, builds and checks the marts, publishes them as one release, and writes the report.
    The first run of an empty data folder takes the bundled sample.
    """
    from warehouse.cli.airflow_run import run_nightly

    return run_nightly(day)


@cli.command()
@argument("name", "NAME", default="world", shell_complete=sample_names)
def sample(name: str) -> int:
    """Copy a bundled sample into landing, where nothing was ever landed: world or vtuber.

    `world` is what a first night takes by itself: 120 days of one brand among real and simulated creators. `vtuber` is
    real mess: 16 days in two years, with an outage and a roster that jumps.
    """
    from ingestion.config import get_settings
    from ingestion.errors import nearest
    from ingestion.sample import SAMPLES, copy_if_empty

    settings = get_settings()
    if name not in SAMPLES:
        click.echo(f"no sample is named {name!r}{nearest(name, SAMPLES)}", err=True)
        return USAGE_ERROR
    copied = copy_if_empty(settings, name)
    if not copied:
        click.echo(f"nothing is copied: {settings.data} holds data already; name another by GROUNDSWELL_DATA", err=True)
        return FAILED
    click.echo(f"copied the sample {name}, {copied} files; next: groundswell nightly builds it up to its last day")
    return DONE


@cli.command()
@option("--day", "DATE", "UTC day of the run, YYYY-MM-DD.", type=DAY)
@option("--explain", "EXPLAIN", "Say how far this model looks back, and what that adds up from.", metavar="MODEL")
def plan(day: date | None, explain: str | None) -> int:
    """Print what a nightly would replace, and why; nothing is written."""
    from ingestion.config import get_settings
    from ingestion.sample import default_day
    from warehouse import dry_run

    settings = get_settings()
    if explain:
        click.echo("\n".join(dry_run.explain(settings, explain)))
        return DONE
    day = day or default_day(settings)
    click.echo(f"plan of a nightly for {day} (UTC); nothing is written")
    click.echo("\n".join(dry_run.preview(settings, day)))
    return DONE


@cli.command()
@option("--from", "FROM", "First UTC day, YYYY-MM-DD.", type=DAY, required=True, name="first")
@option("--to", "TO", "Last UTC day, included.", type=DAY, required=True, name="last")
@option("--marts", "MARTS", "Only these, comma-separated, and what they are made from.", default="")
@option("--dry-run", "DRY_RUN", "Print the plan and the rows that would change; write nothing.", is_flag=True)
def backfill(first: date, last: date, marts: str, dry_run: bool) -> int:
    """Build a range of days again in one pass, and say what differs."""
    from ingestion.config import get_settings
    from warehouse.cli.backfill import run

    code = run(first, last, [name.strip() for name in marts.split(",") if name.strip()], dry_run)
    return code if code or dry_run else show_in_postgres(get_settings())


@cli.command()
@option("--source", "SOURCE", "This source alone.", shell_complete=source_names)
@option("--dry-run", "DRY_RUN", "Say what it would take; ask nobody.", is_flag=True)
def capture(source: str | None, dry_run: bool) -> int:
    """Ask the sources of config/sources.yml for today's counts, and write their answers to landing.

    Asks for the accounts of config/watchlist.csv and of collaborations. What has come today is not asked again.
    """
    from warehouse.cli.capture import run

    return run(source, dry_run)


@cli.command()
@option("--dry-run", "DRY_RUN", "Say what would be removed; remove nothing.", is_flag=True)
def expire(dry_run: bool) -> int:
    """Let go of what sources may keep no longer: landing, raw, marts and releases. Every night does it by itself."""
    from ingestion.config import get_settings
    from ingestion.errors import LeaseLost
    from warehouse.retention import expire as remove

    try:
        remove(get_settings(), dry_run, click.echo)
    except LeaseLost as error:
        click.echo(str(error))
        return FAILED
    return DONE if dry_run else show_in_postgres(get_settings())


@cli.command()
def terms() -> int:
    """Print per source what is kept, for how long, by which term, and what would change it."""
    from ingestion.config import get_settings
    from ingestion.sources.kept import lines

    for line in lines(get_settings()):
        click.echo(line)
    return DONE


@cli.group(cls=Group)
def watch() -> None:
    """The accounts of config/watchlist.csv, which are captured each day."""


@watch.command("add")
@click.argument("platform")
@click.argument("account")
@click.option("--since", help="First UTC day, YYYY-MM-DD; default: at once.", type=DAY)
@click.option("--legal-basis", help="Why the account may be kept, in your words.")
@click.option("--latest-posts", help="Of how many posts the counts are taken.", type=click.IntRange(0, 500))
@click.option("--tags", help="Words of your own, separated by |.")
def watch_add(
    platform: str,
    account: str,
    since: date | None,
    legal_basis: str | None,
    latest_posts: int | None,
    tags: str | None,
) -> int:
    """Capture an account from now on."""
    from warehouse.cli.capture import add_account

    return add_account(platform, account, since, legal_basis, latest_posts, tags)


@watch.command("list")
@click.option("--platform", help="This platform alone.")
def watch_list(platform: str | None) -> int:
    """Print the accounts, each with what became of it at its last capture."""
    from warehouse.cli.capture import list_accounts

    return list_accounts(platform)


@watch.command("remove")
@click.argument("platform")
@click.argument("account")
def watch_remove(platform: str, account: str) -> int:
    """Capture an account no longer; what was captured stays (see `erase`)."""
    from warehouse.cli.capture import remove_account

    return remove_account(platform, account)


@cli.command()
@option("--port", "PORT", "Port on 127.0.0.1.", type=PORT, default=8080, show_default=True)
def airflow(port: int) -> int:
    """Start a local Airflow, UI and scheduler, on 127.0.0.1."""
    from warehouse.cli.airflow_serve import serve

    return serve(port)


# --- files


@cli.command()
@argument("file", "FILE", type=click.Path(path_type=Path))
@option("--mapping", "MAPPING", "Name or path of a mapping; default: the one that claims the file, else inferred.")
@option("--feed", "FEED", "Infer a mapping for this feed.", shell_complete=feed_names)
@option("--ignore-mappings", "IGNORE_MAPPINGS", "Read it as if no mapping was known: infer one.", is_flag=True)
@option("--write", "WRITE", "Put the mapping where landing reads it, in config/mappings/.", is_flag=True)
@option("--force", "FORCE", "With --write: over a mapping that is there.", is_flag=True)
def preview(file: Path, mapping: str | None, feed: str | None, ignore_mappings: bool, write: bool, force: bool) -> int:
    """Show what a file would become, before it is landed; what has two readings is asked.

    Exit code 0: landing would take it as it is shown. 1: something is to answer, to complete or to correct.
    """
    from ingestion.mapping.preview import show

    return show(file, mapping, feed, ignore_mappings, write, force)


@cli.command()
@option("--feed", "FEED", "This feed alone.", shell_complete=feed_names)
@option("--out", "OUT", "Where to write; default: reports/quarantine.csv of the data folder.", type=click.Path())
def quarantine(feed: str | None, out: str | None) -> int:
    """Write quarantined rows and files as CSV, with reasons."""
    from ingestion.config import get_settings
    from ingestion.quarantine import export

    settings = get_settings()
    done = export(settings, Path(out) if out else settings.reports / "quarantine.csv", feed)
    if not done.rows and not done.files:
        click.echo("quarantine is empty: every row that was read is accepted, or a twin of one that is")
    for line in done.lines:
        click.echo(line)
    click.echo(f"\n{done.rows:,} rows and {done.files:,} files: {done.target}")
    if done.rows or done.files:
        click.echo(
            "next: mend the mapping (the next run reads its files again by itself), or deliver a corrected file;"
        )
        click.echo("      for anything else that was mended: make replay WHAT=1 says what would be read again")
    return DONE


@cli.command()
@option("--feed", "FEED", "This feed alone, its quarantined rows under an unchanged mapping too.",
        shell_complete=feed_names)  # fmt: skip
@option("--batch", "BATCH", "This batch alone, by the start of its id.")
@option("--revive", "REVIVE", "Let a batch count again that was rejected.", is_flag=True)
@option("--dry-run", "WHAT", "Say what would happen; change nothing.", is_flag=True)
def replay(feed: str | None, batch: str | None, revive: bool, dry_run: bool) -> int:
    """Have quarantined files read again by the next run."""
    from ingestion.config import get_settings
    from ingestion.replay import replay as carry_out

    carry_out(get_settings(), feed, batch, revive, dry_run)
    return DONE


@cli.command()
@argument("batch", "BATCH")
@option("--why", "WHY", "The reason, kept with the batch.", default="rejected by hand", show_default=True)
def reject(batch: str, why: str) -> int:
    """Reject a delivery, by the start of its batch id."""
    from ingestion import ledger
    from ingestion.config import get_settings

    click.echo(ledger.reject(get_settings(), batch, why))
    return DONE


@cli.command()
@option("--check", "CHECK", "Name of the check, as the message has it.", required=True)
@option("--date", "DATE", "UTC date on which it failed, as the message has it.", type=DAY, required=True, name="day")
@option("--why", "WHY", "The reason, kept with the check and shown in the report.", required=True)
@option("--platform", "PLATFORM", "Of several platforms this one alone.")
def acknowledge(check: str, day: date, why: str, platform: str | None) -> int:
    """Publish over a critical check of data that failed and is meant, while it is no worse."""
    from expectations.acknowledge import acknowledge as note
    from ingestion.config import get_settings

    click.echo("\n".join(note(get_settings(), check, day, why, platform)))
    return DONE


@cli.command()
@argument("platform", "PLATFORM")
@argument("account", "ACCOUNT")
def erase(platform: str, account: str) -> int:
    """Remove an account from everything that is kept."""
    from ingestion.config import get_settings
    from ingestion.errors import ContractError, DamagedBuild, LeaseLost, TargetUnavailable, UsageError
    from ingestion.text import shown
    from warehouse.pipeline import erase as remove

    try:
        found = remove(get_settings(), platform, account, lambda _: None)
    except UsageError:
        raise
    except TargetUnavailable as error:
        click.echo(f"{error}\nNOT FINISHED: mend this and run `make erase` again", err=True)
        return FAILED
    except (ContractError, DamagedBuild, LeaseLost) as error:
        click.echo(
            f"{error}\nNOT FINISHED: readers still see the release before; mend this and run `make erase` again",
            err=True,
        )
        return FAILED
    click.echo(
        f"erased: {found.raw_rows} rows of raw, {found.quarantined_rows} quarantined rows, {found.files} files;"
        " all marts were rebuilt without the account, and every older release is gone"
    )
    for words, files in {
        "still in landing, not yet taken in, and kept out when they are": found.waiting,
        "removed, since they could not be read to their end and may have held it; ask for them again": found.unread,
        "still named in, to be removed by hand": found.left,
    }.items():
        if files:
            click.echo(f"{words}: {', '.join(map(shown, files))}")
    return DONE


# --- releases


@cli.command()
def releases() -> int:
    """List the releases that are kept, and which one readers see."""
    from ingestion.config import get_settings
    from warehouse.release.rollback import list_releases

    click.echo("\n".join(list_releases(get_settings())))
    return DONE


@cli.command()
@option("--to", "TO", "Id of the release to show.", required=True, shell_complete=release_ids)
@option("--why", "WHY", "The reason, kept with the rollback.", default="rolled back by hand", show_default=True)
def rollback(to: str, why: str) -> int:
    """Show readers an earlier release until the next run publishes."""
    from ingestion.config import get_settings
    from warehouse.release.rollback import roll_back

    settings = get_settings()
    days = roll_back(settings, to, why)
    span = f"{days[0]} .. {days[-1]} ({len(days)} days)" if days else "no day"
    click.echo(
        f"readers see {to} from now on\nnext run  builds, checks and publishes again: {span}\n"
        "          keep it from bringing back what was wrong: reject the delivery or mend the model before it runs"
    )
    return show_in_postgres(settings)


@cli.command()
def postgres() -> int:
    """Load the release that readers see into PostgreSQL, and show it there; safe to repeat.

    Each run does it by itself where GROUNDSWELL_POSTGRES_URL is set. By hand: after a failure, and the first time.
    """
    from ingestion.config import get_settings
    from serving.postgres import follow

    follow(get_settings(), click.echo)
    return DONE


def show_in_postgres(settings: "Settings") -> int:
    """Follow a change of the release in PostgreSQL, where one is set; what fails there is said, the change stands."""
    from ingestion.errors import ContractError, TargetUnavailable
    from warehouse.pipeline import load_postgres

    try:
        load_postgres(settings, click.echo)
    except (ContractError, TargetUnavailable) as error:
        click.echo(str(error), err=True)
        return FAILED
    return DONE


# --- looking


@cli.command()
@option("--quick", "QUICK", "Compare sizes of raw files, not their bytes.", is_flag=True)
@option("--rebuild-ledger", "REBUILD_LEDGER", "Make a lost ledger anew, from landing and raw.", is_flag=True)
def doctor(quick: bool, rebuild_ledger: bool) -> int:
    """Say what is wrong, and the command that mends it; changes nothing but a lost ledger, where asked."""
    from ingestion.config import get_settings

    if rebuild_ledger:
        from warehouse.pipeline import rebuild_ledger as rebuild

        made = rebuild(get_settings(), click.echo)
        click.echo(
            f"the ledger is made anew: {made.landed:,} files of landing are read again, {made.from_raw:,} batches are"
            f" taken from raw, {made.left:,} older readings are left\nwhat was rejected, acknowledged or erased is not"
            " known any more: do it again, then make nightly"
        )
        return DONE
    from warehouse.doctor.releases import run

    return FAILED if run(quick) else DONE


@cli.command()
@argument("platform", "PLATFORM")
@argument("account_id", "ID")
def account(platform: str, account_id: str) -> int:
    """Write one account's page: curve, verdict, tiers, engagement among its peers, price and returns, posts."""
    from ingestion.config import get_settings
    from serving.report.account import NoSuchAccount, build_account

    if not platform.strip() or not account_id.strip():
        click.echo("say which account: make account PLATFORM=youtube ID=UC...", err=True)
        return USAGE_ERROR
    try:
        path = build_account(get_settings(), platform, account_id)
    except NoSuchAccount as error:
        click.echo(str(error), err=True)
        return FAILED
    click.echo(f"account page: {path}")
    return DONE


@cli.command()
@option("--followers", "FOLLOWERS", "Least sum of followers.")
@option("--reach", "REACH", "Least sum of reach.")
@option("--engagements", "ENGAGEMENTS", "Least sum of engagements.")
@option("--budget", "BUDGET", "Most that all posts may cost, in base currency.")
@option("--aim", "AIM", "What is to be best: price or engagements.")
@option("--platform", "PLATFORM", "Only accounts of this platform.")
@option("--niche", "NICHE", "Only accounts of this niche.")
@option("--country", "COUNTRY", "Only accounts of this country.")
@option("--city", "CITY", "Only accounts of this city.")
@option("--language", "LANGUAGE", "Only accounts of this language.")
@option("--min-trust", "MIN_TRUST", "Least trust score, 0 to 100.")
@option("--max-creators", "MAX_CREATORS", "Most creators; accounts of one person are one.")
@option("--iceberg", "ICEBERG", "One big name for at most this share of the price.")
def shortlist(**given: str | None) -> int:
    """List creators that meet a target, or a budget."""
    from ingestion.config import get_settings
    from serving.report.source import open_source
    from serving.shortlist.ask import ShortlistError, read_ask
    from serving.shortlist.optimise import make_shortlist
    from serving.shortlist.write import show, write_files

    try:
        ask = read_ask(given)
    except ShortlistError as error:
        click.echo(str(error), err=True)
        return USAGE_ERROR
    settings = get_settings()
    try:
        with open_source(settings, run_id="") as source:
            found = make_shortlist(source, ask)
    except ShortlistError as error:
        click.echo(str(error), err=True)
        return FAILED
    files = write_files(settings, found)
    show(found)
    for path in files:
        click.echo(f"written      {path}")
    return DONE


@cli.command()
@argument("names", "METRICS", required=False, default="")
@option(
    "--by", "BY", "Groupings, comma-separated: day, week, month, cohort_month, platform, tier, brand, campaign, ..."
)
@option(
    "--model",
    "MODEL",
    "Models of attribution, comma-separated; several only --by attribution_model.  [default: code_or_last_click]",
)
@option("--scheme", "SCHEME", "Tier scheme of collaborations; default: that of the release.")
@option("--from", "FROM", "First UTC day of what happened, YYYY-MM-DD.", type=DAY, name="first")
@option("--to", "TO", "Last UTC day, included.", type=DAY, name="last")
@option("--groupings", "GROUPINGS", "Say what these metrics may be grouped by; no release is asked.", is_flag=True)
@option("--out", "OUT", "Write the answer here as CSV.", type=click.Path(path_type=Path))
def metrics(
    names: str,
    by: str | None,
    model: str | None,
    scheme: str | None,
    first: date | None,
    last: date | None,
    groupings: bool,
    out: Path | None,
) -> int:
    """List the metrics, or ask the published release for some: NAMES, comma-separated.

    So `groundswell metrics spend,net_revenue,roi_net --by campaign` gives a row per campaign.
    """
    from ingestion.config import get_settings
    from serving.metrics.question import Question
    from warehouse.cli import metrics as command

    asked = command.names_of(names)
    if not asked:
        return command.list_metrics()
    if groupings:
        return command.list_groupings(asked)
    question = Question(asked, command.names_of(by), command.names_of(model), scheme or None, first, last)
    return command.ask(get_settings(), question, out)


@cli.command()
@option("--rows", "ROWS", "Most rows of an answer.", type=click.IntRange(1, 10_000), default=200, show_default=True)
@option("--memory", "MEMORY", "MB that a query may take.", type=click.IntRange(64, 65_536), default=512,
        show_default=True)  # fmt: skip
@option("--seconds", "SECONDS", "Until a query is stopped.", type=click.FloatRange(0.1, 600), default=20,
        show_default=True)  # fmt: skip
@option("--entry", "ENTRY", "Print what an MCP client is given to start this, and stop.", is_flag=True)
def mcp(rows: int, memory: int, seconds: float, entry: bool) -> int:
    """Let an agent list, describe and query the release, over standard input and output (MCP), read-only."""
    from ingestion.config import get_settings
    from serving import mcp as door
    from serving.bounded import Limits

    settings = get_settings()
    if entry:
        door.require()
        click.echo(door.entry(settings))
        return DONE
    door.serve(settings, Limits(rows, memory, seconds))
    return DONE


@cli.command()
@option("--port", "PORT", "Port on 127.0.0.1.", type=PORT, default=8088, show_default=True)
@option("--python", "BI_PYTHON", "Python 3.11 or 3.12 to install Superset for; default: this one, else one found.")
def bi(port: int, python: str | None) -> int:
    """Start Superset with the project's dashboards on 127.0.0.1, on the last release; the first time it installs it."""
    from warehouse.cli.bi import run

    return run(port, python)


@cli.group(cls=Group)
def spark() -> None:
    """Spark on this machine, for marts that outgrow DuckDB: a master, two workers and a Thrift server on 127.0.0.1."""


@spark.command("start")
@option("--port", "PORT", "Port of the Thrift server; default: GROUNDSWELL_SPARK_PORT.", type=PORT)
@option("--master-port", "MASTER_PORT", "Port of the master.", type=PORT, default=7077, show_default=True)
@option("--ui-port", "UI_PORT", "Port of the master's page.", type=PORT, default=8090, show_default=True)
@option("--driver-memory", "DRIVER_MEMORY", "Memory of the Thrift server.", type=MEMORY, default="2g",
        show_default=True)  # fmt: skip
@option("--worker-memory", "WORKER_MEMORY", "Memory of each worker.", type=MEMORY, default="2g", show_default=True)
def spark_start(port: int | None, master_port: int, ui_port: int, driver_memory: str, worker_memory: str) -> int:
    """Start Spark and wait until it answers; the first time it installs it. Running already: says so."""
    from ingestion.config import get_settings
    from warehouse.cli.spark import start
    from warehouse.cli.spark_env import Options

    thrift_port = port or get_settings().spark_port
    return start(Options(master_port, thrift_port, ui_port, driver_memory, worker_memory))


@spark.command("stop")
def spark_stop() -> int:
    """End all parts of Spark and what they started; tables and logs stay."""
    from warehouse.cli.spark import stop

    return stop()


@spark.command("status")
def spark_status() -> int:
    """Say which parts of Spark run. Exit code 1: one does not."""
    from warehouse.cli.spark import status

    return status()


@cli.command()
def docs() -> int:
    """Build the dbt docs site under reports/dbt_docs; it needs no network."""
    from ingestion.config import get_settings
    from warehouse.dbt_docs import build_docs

    click.echo(f"dbt docs: {build_docs(get_settings())}")
    return DONE


# --- set-up


@cli.command()
def init() -> int:
    """Write a commented .env, a commented config/ and the landing folders here; what is there stays as it is."""
    from warehouse.cli.init import write_examples

    for line in write_examples(Path.cwd()):
        click.echo(line)
    return DONE


@cli.group(cls=Group)
def config() -> None:
    """What you set yourself, in the environment and in config/."""


@config.command("show")
def config_show() -> int:
    """Print each value that a run goes by, and where it is from."""
    from ingestion.config import get_settings
    from warehouse.cli.config import show

    for line in show(get_settings()):
        click.echo(line)
    return DONE


@cli.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """Print the completion script of a shell: eval "$(groundswell completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    sys.stdout.write(found(cli, {}, "groundswell", "_GROUNDSWELL_COMPLETE").source())
    return DONE


def main() -> None:
    """Entry point of the `groundswell` command."""
    # What imports and dbt's project leave in memory stays to the end. At Python's own pace the collector looks through
    # all of it again and again: a sixth of a night that finds nothing new.
    gc.set_threshold(50_000, 20, 20)
    cli(prog_name="groundswell")
