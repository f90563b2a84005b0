"""What the readers of text share: encodings, lines, and why a line cannot be read."""

import codecs
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


def is_utf8(mapping: Mapping) -> bool:
    return codecs.lookup(mapping.encoding).name == "utf-8"


def scan_lines(source: Path, mapping: Mapping) -> tuple[bytes, int, bytes]:
    """Beginning of a file, its line ends, and its last byte."""
    lines = unended = 0
    last = b""
    with source.open("rb") as file:
        head = block = file.read(HEADER_LIMIT)
        if not head.removeprefix(BOM):
            raise FileRefused("it is empty; send it again")
        if head.startswith(UTF16_BOMS) or looks_like_utf16(head):
            raise FileRefused("it is UTF-16; save it as UTF-8, or say `encoding: utf-16` in a mapping")
        while block:
            ends = block.count(b"\n")
            lines += ends
            unended = 0 if ends else unended + len(block)
            if unended > MAX_LINE_BYTES:
                raise FileRefused(f"line {lines + 1} is longer than {MAX_LINE_BYTES:,} bytes; is it text?", lines)
            last = block[-1:]
            block = file.read(BLOCK)
    return head, lines, last


def looks_like_utf16(head: bytes) -> bool:
    """Every other byte of plain text in UTF-16 is NUL."""
    sample = head[:2000]
    return len(sample) >= 4 and max(sample[::2].count(0), sample[1::2].count(0)) > len(sample) // 2 * 0.4


def invalid_bytes(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are none of the encoding become a byte that no UTF-8 holds, so that their record is set aside."""
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


def why_broken(encoding: str) -> str:
    known = NOT_UTF8 if encoding == "utf-8" else f"not {encoding}"
    return f"""case error_type
        when 'MISSING COLUMNS' then 'fewer cells than the header: ' || error_message
        when 'TOO MANY COLUMNS' then 'more cells than the header: ' || error_message
        when 'INVALID ENCODING' then {quote(known)}
        when 'UNQUOTED VALUE' then 'a quote is missing or stands inside a quoted cell'
        when 'LINE SIZE OVER MAXIMUM' then 'longer than 2,000,000 bytes'
        else lower(error_type) || ': ' || error_message end"""
