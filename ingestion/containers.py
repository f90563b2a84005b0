"""Files that hold files (members of a zip, sheets of a workbook, tables of a file), and what packed ones hold.

Each is a file of its own, named `<container>/<member>`. A container is hostile until proved otherwise: it is listed
under limits before anything in it is read, and a path in it is a name, never a place to write to.
"""

import fnmatch
import gzip
import hashlib
import html
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from ingestion.errors import FileRefused, too_large
from ingestion.mapping.grammar import Mapping, is_pattern

BLOCK = 1 << 20
ZIP = ".zip"
# First bytes of what Zstandard has packed.
ZSTD = b"\x28\xb5\x2f\xfd"
# The largest export seen, a platform's takeout, holds some 300 files.
MAX_MEMBERS = 1_000
MAX_PATH = 500
# Text shrinks to a fifth or a tenth; a counted series of zeros to a hundredth.
MAX_RATIO, RATIO_FROM_BYTES = 200, 64 << 20
# What operating systems add to a zip.
NOT_DATA = ("Thumbs.db", "desktop.ini", "Icon\r")
# So many packed bytes unfold in memory at once, to 32 MiB at most.
ZSTD_BLOCK, ZSTD_WINDOW = 1 << 10, 128 << 20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
MAX_WORKBOOK_XML = 4 << 20


def is_zip(name: str) -> bool:
    """Whether a file is a container of files, by its name."""
    return name.lower().endswith(ZIP)


def members(file: IO[bytes], limit: int) -> list[str]:
    """Names of what a zip holds, hidden and system files left out, in their order.

    Raises FileRefused for a zip that is broken, encrypted, a bomb, holds a zip, or a path that leads outside.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except BROKEN as error:
        raise FileRefused(f"it is no whole ZIP file ({error}); send it again, or correct its name") from error
    if len(infos) > MAX_MEMBERS:
        raise FileRefused(f"it holds {len(infos):,} files, more than {MAX_MEMBERS:,}; split it")
    for info in infos:
        _check_member(info)
    if (total := sum(info.file_size for info in infos)) > limit:
        raise FileRefused(
            f"unpacks to {total:,} bytes, more than {limit:,}; if that is honest, raise GROUNDSWELL_MAX_UNPACKED_BYTES"
        )
    names = [info.filename for info in infos if not info.is_dir() and _is_data(info.filename)]
    if len(set(names)) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise FileRefused(f"it holds two files named {twin[:80]!r}; give each its own name")
    if not names:
        raise FileRefused("it holds no file to read; send it again")
    return names


def _check_member(info: zipfile.ZipInfo) -> None:
    name, shown = info.filename, repr(info.filename[:80])
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or not name.isprintable():
        raise FileRefused(f"it holds a path that leads outside, or is none: {shown}; pack it anew")
    if len(name) > MAX_PATH:
        raise FileRefused(f"it holds a path of more than {MAX_PATH} characters; pack it anew")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FileRefused(f"it holds a link, {shown}; pack the file itself")
    if info.flag_bits & 1:
        raise FileRefused(f"it is encrypted ({shown}); send it without a password")
    if is_zip(name):
        raise FileRefused(f"it holds a zip, {shown}; send that one by itself")
    if info.file_size > RATIO_FROM_BYTES and info.file_size > MAX_RATIO * max(1, info.compress_size):
        raise FileRefused(f"{shown} unpacks to more than {MAX_RATIO} times its size; pack it as .gz if that is honest")


def _is_data(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not any(part.startswith((".", "_")) for part in parts) and parts[-1] not in NOT_DATA


def wanted(label: str, names: Iterable[str], mappings: list[Mapping]) -> list[str]:
    """Members that are read: those that a mapping of this zip passes over (`skip_members`) are not."""
    claimed = {name: [mapping for mapping in mappings if mapping.claims(f"{label}/{name}")] for name in names}
    passed = {pattern for found in claimed.values() for mapping in found for pattern in mapping.skip_members}
    return [
        name
        for name, found in claimed.items()
        if found or not any(fnmatch.fnmatchcase(name.rpartition("/")[2], pattern) for pattern in passed)
    ]


def extract(archive: Path, name: str, target: Path, limit: int) -> tuple[str, int]:
    """Unpack one member to a file of ours, under a limit, its checksum verified. Returns SHA-256 and bytes."""
    digest, size = hashlib.sha256(), 0
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(name) as source, target.open("wb") as out:
            while block := source.read(BLOCK):
                size += len(block)
                if size > limit:
                    raise too_large(limit)
                digest.update(block)
                out.write(block)
    except (KeyError, *BROKEN) as error:
        raise FileRefused(f"it cannot be unpacked from its zip ({error}); send it again") from error
    return digest.hexdigest(), size


def sheets(file: IO[bytes], chosen: Mapping) -> list[str]:
    """Names of the sheets that a mapping asks for. Raises FileRefused where a pattern finds none."""
    listed = chosen.sheet if isinstance(chosen.sheet, tuple) else (chosen.sheet,)
    if not any(isinstance(sheet, int) or is_pattern(sheet) for sheet in listed):
        return [str(sheet) for sheet in listed]
    there = _sheets_of(file)
    visible = [name for name, is_visible in there if is_visible]
    found: list[str] = []
    for sheet in listed:
        if isinstance(sheet, int):
            found += [there[sheet - 1][0]] if sheet <= len(there) else [f"number {sheet}"]
        elif is_pattern(sheet):
            found += [name for name in visible if fnmatch.fnmatchcase(name, str(sheet))]
        else:
            found.append(str(sheet))
    if not found:
        raise FileRefused(f"it has no visible sheet like {listed}; it has {', '.join(map(repr, visible))}")
    return list(dict.fromkeys(found))


def _sheets_of(file: IO[bytes]) -> list[tuple[str, bool]]:
    """Name of each sheet of a workbook, and whether it is visible."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open("xl/workbook.xml") as source:
            text = source.read(MAX_WORKBOOK_XML).decode("utf-8", "replace")
    except (KeyError, *BROKEN) as error:
        raise FileRefused(f"it is no whole XLSX file ({error}); save it again, or correct its name") from error
    found = []
    for tag in re.findall(r"<(?:\w+:)?sheet\s[^<>]*>", text):
        name, state = re.search(r'\bname="([^"]*)"', tag), re.search(r'\bstate="([^"]*)"', tag)
        if name:
            found.append((html.unescape(name[1]), state is None or state[1] == "visible"))
    return found


def identity_of_part(sha256: str, part: str) -> str:
    """What tells a sheet or a table of a file from the others: it has no bytes of its own."""
    return hashlib.sha256(f"{sha256}\0{part}".encode()).hexdigest()


def gzip_blocks(copy: Path) -> Iterator[bytes]:
    """Blocks of what a gzip file holds. Raises FileRefused where it is cut or damaged."""
    try:
        with gzip.open(copy, "rb") as source:
            while block := source.read(BLOCK):
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        detail = "it is cut off" if isinstance(error, EOFError) else str(error)
        raise FileRefused(f"gzip is damaged ({detail}); send the file again") from error


def zstd_blocks(copy: Path) -> Iterator[bytes]:
    """Blocks of all frames. A frame without its end is cut; its checksum is verified where the sender wrote one.

    Raises FileRefused where it is cut or damaged.
    """
    import zstandard

    try:
        with copy.open("rb") as source:
            decoder, packed = None, b""
            while packed or (packed := source.read(ZSTD_BLOCK)):
                decoder = decoder or zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
                yield decoder.decompress(packed)
                packed = decoder.unused_data if decoder.eof else b""
                decoder = None if decoder.eof else decoder
    except zstandard.ZstdError as error:
        raise FileRefused(f"Zstandard is damaged ({error}); send the file again") from error
    if decoder is not None:
        raise FileRefused("Zstandard is damaged (it is cut off); send the file again")
