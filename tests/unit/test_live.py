"""The live test says what it needs, before it starts anything."""

from pathlib import Path

import pytest

from tests.live.network import FILES, PROGRAMS, NotThere, tools_of


def test_without_the_folder_it_says_how_to_name_it() -> None:
    with pytest.raises(NotThere, match="make live-test BLUESKY_TOOLS=/path/to/folder"):
        tools_of({})


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotThere) as found:
        tools_of({"BLUESKY_TOOLS": str(tmp_path), "PATH": str(tmp_path)})
    assert [line.partition(" is not ")[0] for line in str(found.value).splitlines()[:-1]] == [
        *(str(tmp_path / file) for file in FILES),
        *PROGRAMS,
    ]
    for file in (*FILES, *PROGRAMS):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch(mode=0o755)
    assert tools_of({"BLUESKY_TOOLS": str(tmp_path), "PATH": str(tmp_path)}) == tmp_path
