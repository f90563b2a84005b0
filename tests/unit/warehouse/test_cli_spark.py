"""`groundswell spark` without Java: programs in the place of Spark's own show what is started, what fails, what ends.

The master in their place answers as the page of Spark's does, with the workers that live; the Thrift server in their
place lets in who opens as Hive's protocol does.
"""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError, LeaseLost, UsageError
from warehouse.cli import processes, spark, spark_env
from warehouse.cli.airflow_env import HOST
from warehouse.cli.spark_env import PARTS, Options

PROGRAM = """#!{python} -SE
import http.server, json, os, pathlib, signal, socket, subprocess, sys, time
home = pathlib.Path(os.environ["SPARK_HOME"])
kind = next(k for k in ("Master", "Worker", "HiveThriftServer2") if any(a.endswith("." + k) for a in sys.argv))
if (home / f"{{kind}}.fails").exists():
    print("java.net.BindException: no room for", kind, file=sys.stderr)
    sys.exit(3)
if kind == "Worker":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    child = subprocess.Popen(["sleep", "60"])
    (home / f"worker.{{os.getpid()}}").write_text(str(child.pid))
    child.wait()
elif kind == "Master":
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = [f.suffix[1:] for f in home.glob("worker.*")]
            state = lambda pid: pathlib.Path(f"/proc/{{pid}}").exists() and ") Z " not in pathlib.Path(f"/proc/{{pid}}/stat").read_text()
            body = json.dumps({{"workers": [{{"state": "ALIVE" if state(pid) else "DEAD"}} for pid in found]}}).encode()
            self.send_response(200); self.end_headers(); self.wfile.write(body)
    port = int(sys.argv[sys.argv.index("--webui-port") + 1])
    http.server.ThreadingHTTPServer(("{host}", port), Page).serve_forever()
else:
    port = int(next(a for a in sys.argv if a.startswith("hive.server2.thrift.port=")).partition("=")[2])
    server = socket.create_server(("{host}", port))
    while True:
        with server.accept()[0] as asked:
            asked.sendall(b"\\x05\\0\\0\\0\\0" if asked.recv(100).startswith(b"\\x01\\0\\0\\0\\x05PLAIN") else b"\\x03")
"""


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def java(folder: Path, version: str) -> str:
    """A folder with a program that says it is a Java of a version, as Java does: on standard error."""
    program(folder / "bin" / "java", f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    return str(folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with programs in the place of Spark's."""
    folder = tmp_path / "spark"
    for name in ("spark-class", "spark-submit"):
        program(folder / "bin" / name, PROGRAM.format(python=sys.executable, host=HOST))
    (folder / "jars").mkdir()
    (folder / "jars" / "spark-hive-thriftserver_2.13-4.3.0.jar").touch()
    return folder


@pytest.fixture
def settings(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a folder of its own, with a Java and a Spark; what was started there is ended."""
    made = Settings(_env_file=None, data=tmp_path / "a b" / "data", spark_home=home)  # type: ignore[call-arg]
    monkeypatch.setattr(spark, "get_settings", lambda: made)
    monkeypatch.setenv("JAVA_HOME", java(tmp_path / "java", "17.0.15"))
    monkeypatch.setattr(processes, "END_SECONDS", 2)
    yield made
    state = spark_env.state_of(made)
    processes.end(list(processes.known(state, PARTS).values()), state)


@pytest.fixture
def options() -> Options:
    held = [socket.create_server((HOST, 0)) for _ in range(3)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return Options(*ports, driver_memory="1g", worker_memory="512m")


def running(settings: Settings) -> list[str]:
    """Parts whose process, or a child of it, runs."""
    found = processes.known(spark_env.state_of(settings), PARTS)
    return [name for name, process in found.items() if process.has_group]


def test_what_is_started_runs_until_it_is_stopped(
    settings: Settings, options: Options, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spark.status() == 1
    assert capsys.readouterr().out.count("not started") == 4
    assert spark.stop() == 0
    assert capsys.readouterr().out == "Spark is not running\n"
    assert not settings.data.exists()
    assert spark.start(options) == 0
    said = capsys.readouterr().out
    assert f"master    spark://{HOST}:{options.master_port}\n" in said
    assert f"thrift    {HOST}:{options.port}\n" in said
    assert f"next: GROUNDSWELL_ENGINE={options.master} GROUNDSWELL_SPARK_PORT={options.port} make nightly" in said
    assert str(settings.data / "state" / "logs" / "spark") in said
    assert running(settings) == list(PARTS)
    assert spark.status() == 0
    assert capsys.readouterr().out.count("running") == 4

    before = processes.known(spark_env.state_of(settings), PARTS)
    assert spark.start(options) == 0
    assert capsys.readouterr().out.startswith("Spark is running already\n")
    assert processes.known(spark_env.state_of(settings), PARTS) == before

    children = [int(path.read_text()) for path in home.glob("worker.*")]
    assert len(children) == 2
    assert spark.stop() == 0
    assert capsys.readouterr().out == "stopped: master, worker-1, worker-2, thrift\n"
    assert running(settings) == []
    assert not any(processes.process_start(child) for child in children)
    assert list(spark_env.state_of(settings).glob("*.pid")) == []
    assert spark.stop() == 0
    assert capsys.readouterr().out == "Spark is not running\n"


def test_a_worker_that_was_killed_is_named_and_started_again_alone(
    settings: Settings, options: Options, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spark.start(options)
    before = processes.known(spark_env.state_of(settings), PARTS)
    os.kill(before["worker-2"].pid, signal.SIGKILL)
    while before["worker-2"].is_alive:
        time.sleep(0.02)
    child = int((home / f"worker.{before['worker-2'].pid}").read_text())
    assert processes.process_start(child)
    capsys.readouterr()
    assert spark.status() == 1
    said = capsys.readouterr().out
    assert f"worker-2  ended by itself (it was process {before['worker-2'].pid})" in said
    assert "groundswell spark start starts what does not run" in said

    assert spark.start(options) == 0
    assert "worker-2 of Spark ended and is started again" in capsys.readouterr().out
    after = processes.known(spark_env.state_of(settings), PARTS)
    assert after["worker-2"].is_alive
    assert after["worker-2"].command == before["worker-2"].command
    assert {name: after[name] for name in PARTS if name != "worker-2"} == {
        name: before[name] for name in PARTS if name != "worker-2"
    }
    assert not processes.process_start(child)


def test_without_its_master_all_is_started_again(
    settings: Settings, options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    spark.start(options)
    before = processes.known(spark_env.state_of(settings), PARTS)
    os.kill(before["master"].pid, signal.SIGKILL)
    while before["master"].is_alive:
        time.sleep(0.02)
    assert spark.start(options) == 0
    after = processes.known(spark_env.state_of(settings), PARTS)
    assert not {process.pid for process in before.values()} & {process.pid for process in after.values()}
    assert running(settings) == list(PARTS)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [("Master", ("master",)), ("Worker", ("worker-1", "worker-2")), ("HiveThriftServer2", ("thrift",))],
)
def test_a_part_that_ends_at_once_is_named_with_its_log_and_nothing_is_left(
    settings: Settings, options: Options, home: Path, kind: str, parts: tuple[str, ...]
) -> None:
    """Of two workers that end at once either is named."""
    (home / f"{kind}.fails").touch()
    with pytest.raises(ContractError) as found:
        spark.start(options)
    (part,) = (name for name in parts if str(found.value).startswith(f"Spark's {name} ended"))
    log = settings.data / "state" / "logs" / "spark" / f"{part}.log"
    assert str(found.value) == (
        f"Spark's {part} ended with code 3; the last lines of its log, {log}:\n"
        f"  java.net.BindException: no room for {kind}\nmend this and run `groundswell spark start` again"
    )
    assert list(spark_env.state_of(settings).glob("*.pid")) == []
    left = subprocess.run(["ps", "-A", "-o", "stat=,args="], capture_output=True, text=True, check=True).stdout
    assert [line for line in left.splitlines() if str(home) in line and not line.startswith("Z")] == []


def test_what_never_answers_is_ended(
    settings: Settings, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "START_SECONDS", 0.5)
    monkeypatch.setattr(spark, "answers", lambda port: False)
    with pytest.raises(ContractError, match=r"did not start within 0\.5 s: .* does not answer; its logs say why: "):
        spark.start(options)
    assert running(settings) == []
    with pytest.raises(ContractError, match="the Thrift server does not answer"):
        spark.wait(lambda: False, "the Thrift server", {}, tmp_path, deadline=0)


def test_another_server_is_not_taken_for_thrift(options: Options) -> None:
    assert not spark.answers(options.port)

    def answer(server: socket.socket) -> None:
        with server.accept()[0] as asked:
            asked.recv(100)
            asked.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server((HOST, 0)) as other, ThreadPoolExecutor(1) as pool:
        answered = pool.submit(answer, other)
        assert not spark.answers(other.getsockname()[1])
        answered.result()


def test_a_thrift_server_that_hangs_is_told_from_one_that_runs(
    settings: Settings, options: Options, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spark.start(options)
    with monkeypatch.context() as patched:
        patched.setattr(spark, "answers", lambda port: False)
        with pytest.raises(
            ContractError, match=r"Thrift server does not answer at 127\.0\.0\.1:\d+: `groundswell spark"
        ):
            spark.start(options)
        capsys.readouterr()
        assert spark.status() == 1
        said = capsys.readouterr().out
    assert f"thrift    does not answer at {HOST}:{options.port} (process " in said
    assert "next      groundswell spark stop, then start it again" in said
    # What executors wrote is kept beside what the next ones write.
    work = spark_env.logs_of(settings) / "worker-1"
    work.mkdir()
    (work / "stderr").write_text("why")
    spark.stop()
    spark.start(options)
    assert (work.with_name("worker-1.1") / "stderr").read_text() == "why"


@pytest.mark.parametrize(
    ("flag", "variable", "name"),
    [("--master-port", "MASTER_PORT", "master_port"), ("--ui-port", "UI_PORT", "ui_port"), ("--port", "PORT", "port")],
)
def test_a_port_that_is_taken(settings: Settings, options: Options, flag: str, variable: str, name: str) -> None:
    port = getattr(options, name)
    remedy = f"groundswell spark start {flag} {port + 1}, or make spark-start {variable}={port + 1}"
    with socket.create_server((HOST, port)), pytest.raises(ContractError) as found:
        spark.start(options)
    assert str(found.value) == f"port {port} is taken; choose another: {remedy}"
    assert running(settings) == []


def test_no_java_or_one_that_is_too_old(
    settings: Settings, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(ContractError, match=r"needs Java 17 or 21, and JAVA_HOME=.*gone holds none that runs; install"):
        spark.start(options)
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ContractError, match=r"there is no `java` on PATH; install one .* or name its folder by JAVA_HO"
    ):
        spark.start(options)
    for version, major in {"11.0.2": 11, "1.8.0_292": 8}.items():
        monkeypatch.setenv("JAVA_HOME", java(tmp_path / "old", version))
        with pytest.raises(
            ContractError, match=rf"needs Java 17 or 21, and .*java is version {major}; name the folder"
        ):
            spark.start(options)
    assert running(settings) == []
    monkeypatch.setenv("JAVA_HOME", java(tmp_path / "new", "21.0.2"))
    assert spark_env.require_java() == str(tmp_path / "new" / "bin" / "java")


def test_a_folder_that_holds_no_spark_with_a_thrift_server(settings: Settings, home: Path) -> None:
    (home / "jars" / "spark-hive-thriftserver_2.13-4.3.0.jar").unlink()
    with pytest.raises(
        UsageError, match=r"holds no jars/spark-hive-thriftserver_\*\.jar; name the folder of a Spark 4"
    ):
        spark_env.spark_home(settings)
    (home / "bin" / "spark-class").unlink()
    with pytest.raises(UsageError, match=r"holds no bin/spark-class, no jars/spark-hive-thriftserver"):
        spark_env.spark_home(settings)


def test_spark_is_installed_once_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = tmp_path / "calls"
    package = ".venv-spark/lib/python3.11/site-packages/pyspark"
    # In the place of a Python: makes a copy of itself as `venv` would, and notes each call.
    program(
        tmp_path / "python",
        f'#!/bin/sh\necho "$@" >> {calls}\n'
        f'[ "$1 $2" = "-m venv" ] && mkdir -p "$3/bin" {tmp_path / package} && cp "$0" "$3/bin/python"\nexit 0\n',
    )
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.chdir(tmp_path)
    settings = Settings(_env_file=None, data=tmp_path)  # type: ignore[call-arg]
    for _ in range(2):
        assert spark_env.spark_home(settings) == tmp_path / package
    made = calls.read_text().splitlines()
    assert len(made) == 2
    assert made[0] == f"-m venv {tmp_path / '.venv-spark'}"
    assert made[1].endswith(f"install -q --no-deps --require-hashes -r {spark_env.LOCK}")
    assert capsys.readouterr().out == "installing Spark into .venv-spark (once; 1 to 4 minutes, 0.5 GB)\n"
    (tmp_path / package).rmdir()
    with pytest.raises(ContractError, match=r"holds no pyspark; remove it and run `groundswell spark start` again"):
        spark_env.spark_home(settings)
    program(tmp_path / "python", '#!/bin/sh\necho "ERROR: no room on the disk" >&2\nexit 1\n')
    (tmp_path / ".venv-spark" / "made-from").unlink()
    with pytest.raises(ContractError, match=r"Spark could not be installed: ERROR: no room on the disk; mend this and"):
        spark_env.spark_home(settings)


def test_another_host_is_not_served(settings: Settings, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "get_settings", lambda: settings.model_copy(update={"spark_host": "spark.example.org"}))
    with pytest.raises(
        UsageError, match=r"GROUNDSWELL_SPARK_HOST=spark\.example\.org is another host, and .* 127\.0\.0\.1"
    ):
        spark.start(options)


def test_two_at_once(settings: Settings, options: Options) -> None:
    with spark.alone(settings), pytest.raises(LeaseLost, match="another `groundswell spark` is at work here"):
        spark.start(options)
    with (spark_env.state_of(settings) / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_every_part_is_told_to_listen_on_this_machine_alone(settings: Settings, options: Options, home: Path) -> None:
    made = spark_env.commands(settings, home, options)
    assert list(made) == list(PARTS)
    for name, command in made.items():
        assert spark_env.environment_of(home, name)["SPARK_LOCAL_IP"] == HOST
        if name != "thrift":
            assert command[command.index("--host") + 1] == HOST
    assert "hive.server2.thrift.bind.host=127.0.0.1" in made["thrift"]
    assert "spark.driver.bindAddress=127.0.0.1" in made["thrift"]
    assert "spark.master.rest.enabled=false" in spark_env.environment_of(home, "master")["SPARK_MASTER_OPTS"]
    everything = " ".join(part for command in made.values() for part in command)
    assert "0.0.0.0" not in everything


def test_no_secret_and_no_setting_of_another_spark_reaches_a_part(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GROUNDSWELL_HASH_KEY",
        "GROUNDSWELL_POSTGRES_URL",
        "AIRFLOW_CONN_SHOP",
        "SPARK_CONF_DIR",
        "HADOOP_HOME",
    ):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("JAVA_HOME", "/opt/java")
    found = spark_env.environment_of(home, "worker-1")
    assert "secret" not in found.values()
    assert found["JAVA_HOME"] == "/opt/java"
    assert found["SPARK_LOCAL_DIRS"] == "local/worker-1"
    # Spark would read it as the Thrift server's memory, over --driver-memory.
    assert found["SPARK_DAEMON_MEMORY"] == "512m"
    assert "SPARK_DAEMON_MEMORY" not in spark_env.environment_of(home, "thrift")


def test_what_is_written_is_in_the_data_folder_also_with_blanks_in_its_path(
    settings: Settings, options: Options
) -> None:
    conf = spark_env.server_conf(settings, options)
    assert conf["spark.sql.warehouse.dir"] == f"{settings.data}/build/spark/warehouse"
    assert conf["spark.executor.memory"] == "512m"
    assert (
        f'"-Dderby.stream.error.file={settings.data}/state/logs/spark/derby.log"'
        in conf["spark.driver.extraJavaOptions"]
    )
    assert '"-Duser.timezone=UTC"' in conf["spark.driver.extraJavaOptions"]
    assert '"-Duser.timezone=UTC"' in conf["spark.executor.extraJavaOptions"]
    assert spark_env.java_options({"a": 'x "y" \\z', "b": 1}) == '"-Da=x \\"y\\" \\\\z" "-Db=1"'


def test_the_id_of_a_process_that_another_one_has_now(settings: Settings) -> None:
    """Ours here: it is not ended, though the file of a part names it."""
    state = spark_env.state_of(settings)
    state.mkdir(parents=True)
    held = {"name": "master", "pid": os.getpid(), "started": "1", "address": "", "command": []}
    (state / "master.pid").write_text(json.dumps(held))
    [found] = processes.known(state, PARTS).values()
    assert not found.is_alive
    assert not found.has_group
    assert spark.stop() == 0
    assert not (state / "master.pid").exists()
    (state / "master.pid").write_text("12")
    assert processes.known(state, PARTS) == {}


def test_who_does_not_end_when_asked_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "END_SECONDS", 0.3)
    program(tmp_path / "deaf", "#!/bin/sh\ntrap '' TERM\necho ready\nwhile :; do sleep 0.05; done\n")
    log = tmp_path / "deaf.log"
    log.write_text("of the start before")
    begun = processes.launch("deaf", [str(tmp_path / "deaf")], dict(os.environ), tmp_path, log, tmp_path, "")
    while "ready" not in log.read_text():
        time.sleep(0.02)
    [found] = processes.known(tmp_path, ["deaf"]).values()
    assert found.is_alive
    processes.end([found], tmp_path)
    assert begun.wait() == -signal.SIGKILL
    assert not found.has_group
    assert (tmp_path / "deaf.log.1").read_text() == "of the start before"
    assert processes.last_lines(log) == "  ready"


def test_the_command(
    settings: Settings, groundswell: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    given: list[Options] = []
    monkeypatch.setattr(spark, "start", lambda options: given.append(options) or 0)
    assert groundswell("spark", "start", "--worker-memory", "1500M") == 0
    assert given == [Options(7077, 10000, 8090, "2g", "1500m")]
    assert groundswell("spark", "status") == 1
    assert groundswell("spark", "stop") == 0
    assert capsys.readouterr().out.endswith("Spark is not running\n")


# --- locks


def pins(name: str) -> dict[str, str]:
    """Version of each package of a lock."""
    text = (PROJECT_DIR / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", text, flags=re.MULTILINE))


def test_the_locks_of_spark_hold_hashes_and_no_address() -> None:
    for name, package, version in (
        ("requirements-spark-server.txt", "pyspark", "4.3.0"),
        ("requirements-spark.txt", "dbt-spark", "1.11.0"),
    ):
        text = (PROJECT_DIR / name).read_text(encoding="utf-8")
        assert pins(name)[package] == version
        assert "://" not in text
        assert text.count("--hash=sha256:") >= text.count("==") > 1


def test_what_sends_models_fits_beside_the_runtime_and_the_tools_for_tests() -> None:
    of_spark = pins("requirements-spark.txt")
    for other in ("requirements.txt", "requirements-dev.txt"):
        there = pins(other)
        assert {name: there[name] for name in there.keys() & of_spark} == {
            name: of_spark[name] for name in there.keys() & of_spark
        }
    assert pins("requirements.txt").items() <= of_spark.items()
    assert "pyspark" not in of_spark
