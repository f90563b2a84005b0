"""What the readers of text share: encodings, lines, and why a line cannot be read."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import FileRefused
from ingestion.mapping.grammar import Mapping
from ingestion.readers.table import BLOCK
from ingestion.sql import quote

# Longer than DuckDB's own limit of a record (2 MB), which quarantines one record; past this there are no lines.
MAX_LINE_BYTES = 32 << 20
HEADER_LIMIT = 1 << 20
LINE_ENDS = "chr(13) || chr(10)"
BOM = b"\xef\xbb\xbf"
NOT_UTF8 = "not UTF-8"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
UTF32_BOMS = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
# Bytes from which an encoding is told, and the shares of NULs among bytes that are all NUL in it, or none.
SAMPLE, MOST, FEW = 2_000, 0.9, 0.1


def is_utf8(mapping: Mapping) -> bool:
    return codecs.lookup(mapping.encoding).name == "utf-8"


@dataclass(frozen=True)
class Scan:
    """Beginning of a file, its line ends, those of them with a carriage return, its last byte, and its quotes."""

    head: bytes
    lines: int
    returns: int
    last: bytes
    quotes: int = 0

    @property
    def is_mixed(self) -> bool:
        """Whether some lines end in one way and some in another; a line feed within quotes looks so, too."""
        return 0 < self.returns < self.lines


def scan_lines(source: Path, mapping: Mapping) -> Scan:
    """Look through the lines of a file. Raises FileRefused where there are none, or they are no text."""
    lines = returns = unended = quotes = 0
    last, mark = b"", mapping.quote.encode()
    with source.open("rb") as file:
        head = block = file.read(HEADER_LIMIT)
        if not head.removeprefix(BOM):
            raise FileRefused("it is empty; send it again")
        if wide := looks_wide(head):
            raise FileRefused(f"it is {wide}; save it as UTF-8, or say `encoding: {wide.lower()}` in a mapping")
        if head[:SAMPLE].count(0) > len(head[:SAMPLE]) // 2:
            raise FileRefused("most of it is NUL bytes, as where a disk has lost what was written; send it again")
        while block:
            ends = block.count(b"\n")
            lines += ends
            quotes += block.count(mark) if mark else 0
            if b"\r" in block or last == b"\r":
                returns += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            unended = 0 if ends else unended + len(block)
            if unended > MAX_LINE_BYTES:
                raise FileRefused(f"line {lines + 1} is longer than {MAX_LINE_BYTES:,} bytes; is it text?", lines)
            last = block[-1:]
            block = file.read(BLOCK)
    return Scan(head, lines, returns, last, quotes)


def looks_wide(head: bytes) -> str:
    """UTF-16 or UTF-32 where a text begins so, else empty."""
    if head.startswith(UTF32_BOMS) or looks_like_utf32(head):
        return "UTF-32"
    return "UTF-16" if head.startswith(UTF16_BOMS) or looks_like_utf16(head) else ""


def looks_like_utf32(head: bytes) -> bool:
    """Of four bytes of text in UTF-32 the first, or the last, is NUL, and one beside it; not all four are."""
    sample = head[:SAMPLE]
    if len(sample) < 8:
        return False
    nulls = [sample[place::4].count(0) / len(sample[place::4]) for place in range(4)]
    return (nulls[3] > MOST and nulls[2] > MOST and nulls[0] < FEW) or (
        nulls[0] > MOST and nulls[1] > MOST and nulls[3] < FEW
    )


def looks_like_utf16(head: bytes) -> bool:
    """Every other byte of plain text in UTF-16 is NUL, and those between them are not."""
    sample = head[:SAMPLE]
    nulls = sample[::2].count(0), sample[1::2].count(0)
    return len(sample) >= 4 and max(nulls) > len(sample) // 2 * 0.4 and min(nulls) < len(sample) // 2 * FEW


def invalid_bytes(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are none of the encoding become a byte that no UTF-8 holds, so that their record is quarantined."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error("groundswell_invalid", invalid_bytes)


def transcode(plain: Path, encoding: str) -> Path:
    """The same text in UTF-8, beside the original. Bytes that are none of the encoding stay invalid."""
    target = plain.with_name(f"{plain.name}.utf8")
    decoder = codecs.getincrementaldecoder(encoding)("groundswell_invalid")
    with plain.open("rb") as source, target.open("wb") as out:
        first = True
        while True:
            block = source.read(BLOCK)
            text = decoder.decode(block, final=not block)
            out.write((text.removeprefix("\ufeff") if first else text).encode("utf-8", "surrogateescape"))
            first = first and not text
            if not block:
                break
    if target.stat().st_size == 0:
        raise FileRefused("it is empty; send it again")
    return target


def with_one_line_end(source: Path, delimiter: str = ",", mark: str = '"') -> Path:
    """The same text beside it, with a line feed after each record; within quotes all stays."""
    target = source.with_name(f"{source.name}.ends")
    ends_open, quote_byte, is_open = open_test(delimiter, mark), mark.encode(), False
    with source.open("rb") as file, target.open("wb") as out:
        for number, line in enumerate(file):
            if mark and (is_open or quote_byte in line):
                is_open = ends_open(line, 3 if number == 0 and line.startswith(BOM) else 0, is_open)
            out.write(line[:-2] + b"\n" if not is_open and line.endswith(b"\r\n") else line)
    return target


def open_test(delimiter: str, mark: str) -> Callable[[bytes, int, bool], bool]:
    """A test whether a line ends inside a quoted cell, given whether it began in one."""
    if not mark:
        return lambda line, start, is_open: False
    cut, quoted = re.escape(delimiter.encode()), re.escape(mark.encode())
    # A quote opens a cell only at the cell's start, after blanks at most.
    left_open = re.compile(
        rb"(?:(?: *+Q[^Q]*+(?:QQ[^Q]*+)*+Q[^D]*+|(?! *Q)[^D]*+)(?:D|\Z))*+ *+Q".replace(b"Q", quoted).replace(b"D", cut)
    )
    closes = re.compile(rb"[^Q]*+(?:QQ[^Q]*+)*+Q".replace(b"Q", quoted))
    separator = delimiter.encode()

    def ends_open(line: bytes, start: int, is_open: bool) -> bool:
        if is_open:
            closing = closes.match(line)
            if closing is None:
                return True
            cell_end = line.find(separator, closing.end())
            if cell_end < 0:
                return False
            start = cell_end + len(separator)
        return left_open.match(line, start) is not None

    return ends_open


def why_broken(encoding: str) -> str:
    known = NOT_UTF8 if encoding == "utf-8" else f"not {encoding}"
    return f"""case error_type
        when 'MISSING COLUMNS' then 'fewer cells than the header: ' || error_message
        when 'TOO MANY COLUMNS' then 'more cells than the header: ' || error_message
        when 'INVALID ENCODING' then {quote(known)}
        when 'UNQUOTED VALUE' then 'a quote is missing or stands inside a quoted cell'
        when 'LINE SIZE OVER MAXIMUM' then 'longer than 2,000,000 bytes'
        else lower(error_type) || ': ' || error_message end"""
