"""The process in which `ingestion.trial` has one file landed, under limits, into a folder that is thrown away."""

import json
import resource
import sys

import duckdb
from pydantic import SecretStr

from ingestion.config import Settings
from ingestion.landing import land_files
from ingestion.readers.table import is_of_the_machine
from ingestion.trial import OF_THE_MACHINE

GIB = 1024**3
# Address space besides what a build may take: libraries, stacks, what an allocator keeps.
BESIDE_GIB = 3


def main() -> int:
    """Land what lies in the folder that stdin tells of. Returns `OF_THE_MACHINE` where a disk failed."""
    given = json.load(sys.stdin)
    key = given.pop("hash_key")
    settings = Settings(_env_file=None, hash_key=SecretStr(key) if key else None, **given)  # type: ignore[call-arg]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory = int((settings.usable_memory_gib + BESIDE_GIB) * GIB)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        land_files(settings, "trial", lambda _: None)
    except duckdb.OutOfMemoryException:
        return 1
    except (OSError, duckdb.Error) as error:
        if isinstance(error, OSError) or is_of_the_machine(error):
            print(error, file=sys.stderr)
            return OF_THE_MACHINE
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
