"""What Spark is started with: Java, its own folder, the commands of its parts and their environment."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError, UsageError
from warehouse.build.spark import home_of, session_settings
from warehouse.cli import environments
from warehouse.cli.airflow_env import HOST

LOCK = PROJECT_DIR / "requirements-spark-server.txt"
WORKERS = ("worker-1", "worker-2")
PARTS = ("master", *WORKERS, "thrift")
# Spark 4 is compiled for 17; 21 is the other one that its own tests run on.
OLDEST_JAVA = 17
JAVAS = "Java 17 or 21"


@dataclass(frozen=True)
class Options:
    """What a person may choose: ports on 127.0.0.1, and memory as Java writes it (`2g`, `512m`)."""

    master_port: int
    port: int
    ui_port: int
    driver_memory: str
    worker_memory: str

    @property
    def master(self) -> str:
        return f"spark://{HOST}:{self.master_port}"


# --- Java and Spark


def require_java() -> str:
    """The Java that Spark's scripts will call. Raises ContractError where there is none, or it is too old."""
    home = os.environ.get("JAVA_HOME", "")
    java = str(Path(home) / "bin" / "java") if home else "java"
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        place = f"JAVA_HOME={home} holds none that runs" if home else "there is no `java` on PATH"
        raise ContractError(
            f"Spark needs {JAVAS}, and {place}; install one (Debian: apt install openjdk-17-jre-headless, macOS: brew"
            " install openjdk@17), or name its folder by JAVA_HOME"
        ) from error
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    if not found or int(found[1]) < OLDEST_JAVA:
        is_named = f"version {found[1]}" if found else "of no version that it names"
        raise ContractError(f"Spark needs {JAVAS}, and {java} is {is_named}; name the folder of another by JAVA_HOME")
    return java


def environment_folder() -> Path:
    """Where Spark is installed: beside what is called, as every relative path is."""
    return Path.cwd() / ".venv-spark"


def spark_home(settings: Settings) -> Path:
    """The folder of Spark: the one that is named, else that of the environment, which is made where it is missing.

    Raises UsageError where the named one holds no Spark with a Thrift server, ContractError where installing fails.
    """
    if settings.spark_home:
        lacking = [
            pattern
            for pattern in ("bin/spark-class", "bin/spark-submit", "jars/spark-hive-thriftserver_*.jar")
            if not any(settings.spark_home.glob(pattern))
        ]
        if lacking:
            raise UsageError(
                f"GROUNDSWELL_SPARK_HOME={settings.spark_home} holds no {', no '.join(lacking)}; name the folder of a"
                " Spark 4 with Hive (of an installed pyspark: its site-packages/pyspark), or leave it empty: then Spark"
                " is installed"
            )
        return settings.spark_home
    folder = environment_folder()
    environments.install(
        folder, LOCK, lambda: sys.executable, "Spark", "1 to 4 minutes, 0.5 GB", "groundswell spark start"
    )
    found = sorted(folder.glob("lib/python3*/site-packages/pyspark"))
    if not found:
        raise ContractError(f"{folder} holds no pyspark; remove it and run `groundswell spark start` again")
    return found[0]


# --- its parts


def logs_of(settings: Settings) -> Path:
    return settings.data / "state" / "logs" / "spark"


def state_of(settings: Settings) -> Path:
    return settings.data / "state" / "spark"


def commands(settings: Settings, home: Path, options: Options) -> dict[str, tuple[str, ...]]:
    """The command of each part, in the order in which they are started."""
    run = str(home / "bin" / "spark-class")
    made: dict[str, tuple[str, ...]] = {
        "master": (
            run, "org.apache.spark.deploy.master.Master",
            "--host", HOST, "--port", str(options.master_port), "--webui-port", str(options.ui_port),
        )
    }  # fmt: skip
    for name in WORKERS:
        made[name] = (
            run, "org.apache.spark.deploy.worker.Worker",
            "--host", HOST, "--cores", "1", "--memory", options.worker_memory, "--webui-port", "0",
            "--work-dir", str(logs_of(settings) / name), options.master,
        )  # fmt: skip
    configured = (
        part for key, value in server_conf(settings, options).items() for part in ("--conf", f"{key}={value}")
    )
    served = {
        "hive.server2.thrift.port": options.port,
        "hive.server2.thrift.bind.host": HOST,
        "hive.server2.authentication": "NONE",
    }
    made["thrift"] = (
        str(home / "bin" / "spark-submit"), "--master", options.master,
        "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "--name", "groundswell",
        *configured, "spark-internal",
        *(part for key, value in served.items() for part in ("--hiveconf", f"{key}={value}")),
    )  # fmt: skip
    return made


def server_conf(settings: Settings, options: Options) -> dict[str, str]:
    """Spark's settings of the Thrift server and of all sessions on it."""
    home, logs = home_of(settings), logs_of(settings)
    of_driver = {
        "user.timezone": "UTC",
        "java.io.tmpdir": home / "tmp",
        "derby.stream.error.file": logs / "derby.log",
    }
    return {
        "spark.driver.memory": options.driver_memory,
        "spark.executor.memory": options.worker_memory,
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        # The master's page leads to it.
        "spark.ui.port": "0",
        # Each statement's plan is kept as text for that page, of a model up to a megabyte: 1,000 fill the memory.
        "spark.sql.ui.retainedExecutions": "200",
        # Two cores: 200, the default, are as many tasks of a few milliseconds.
        "spark.sql.shuffle.partitions": "4",
        # Whoever looks at the tables reads them as the models do.
        **session_settings(),
        "spark.sql.storeAssignmentPolicy": "ANSI",
        "spark.sql.warehouse.dir": str(home / "warehouse"),
        # Hive's catalog in Derby is asked for all parts of a table at each scan: minutes for a model of 120 days. This
        # one ends with the server, and the next run builds all from raw.
        "spark.sql.catalogImplementation": "in-memory",
        "spark.driver.extraJavaOptions": java_options(of_driver),
        "spark.executor.extraJavaOptions": java_options({"user.timezone": "UTC", "java.io.tmpdir": home / "tmp"}),
    }


def java_options(properties: Mapping[str, object]) -> str:
    """Properties as one text, which Spark takes apart at blanks, but for those between quotes."""
    pairs = (f"-D{key}={value}".replace("\\", "\\\\").replace('"', '\\"') for key, value in properties.items())
    return " ".join(f'"{pair}"' for pair in pairs)


def environment_of(home: Path, name: str) -> dict[str, str]:
    """Variables of a part. Neither secrets of the warehouse nor another Spark's settings reach it."""
    ours = ("PYTHON", "VIRTUAL_ENV", "MAKE", "GROUNDSWELL_", "AIRFLOW", "DBT_")
    others = ("SPARK_", "PYSPARK_", "HADOOP_", "HIVE_", "YARN_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith((*ours, *others))}
    return {
        **kept,
        "SPARK_HOME": str(home),
        # What each part listens on, its pages too.
        "SPARK_LOCAL_IP": HOST,
        # Relative to where it runs: a comma in the path would make two of it.
        "SPARK_LOCAL_DIRS": f"local/{name}",
        # It would take the place of the Thrift server's own memory too.
        **({} if name == "thrift" else {"SPARK_DAEMON_MEMORY": "512m"}),
        "SPARK_DAEMON_JAVA_OPTS": "-Duser.timezone=UTC",
        # A second door, by which the same may be asked.
        "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
    }
