"""Run a file of this folder in a process of its own: imports are its own, and so is its memory."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ingestion.config import PROJECT_DIR


def in_a_process(name: str, *arguments: object, code: Path = PROJECT_DIR) -> Any:
    """What `bench/<name>.py` prints last, read as JSON.

    Args:
        code: the checkout whose packages it imports.
    """
    command = [sys.executable, "-P", str(Path(__file__).with_name(f"{name}.py")), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": f"{code}{os.pathsep}{code / 'dags'}"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])
