"""Whether a text or a file names somebody, however it is written: encodings, escapes, markup, what is packed.

A file is read as its format reads, by its first bytes and not by its name: what is packed is unpacked, as often as it
is packed; cells of Parquet are read; of a spreadsheet the runs of one text are joined.
"""

import bz2
import html
import json
import lzma
import re
import tempfile
import threading
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb

from ingestion import containers
from ingestion.config import DUCKDB_CONFIG
from ingestion.errors import FileRefused
from ingestion.readers.parquet import refuse_deep
from ingestion.sql import quote

BLOCK = 1 << 20
# Of each block so much is read again with the next: a name may stand across both, run by run in markup.
OVERLAP = 1 << 16
# Shorter names are words of every text: of them only the whole cell is meant.
SHORTEST, SHORTEST_NUMBER = 3, 6
# Text that is escaped within escaped text is unfolded so often.
ROUNDS = 4
# Packed files within each other, and the bytes that one file may become.
MAX_DEPTH, MAX_BYTES = 8, 4 << 30
# Cells of Parquet: equal rows take no bytes, so that reading them can take for ever.
SECONDS, BYTES_A_SECOND = 60.0, 100_000
# Encodings in which other bytes stand for the same text than in UTF-8.
ENCODINGS = (
    "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-7", "cp037", "cp1252", "latin-1", "iso8859-15", "cp1250",
    "iso8859-2", "cp1251", "koi8-r", "cp1253", "cp1254", "cp1255", "cp1256", "mac-roman", "cp437", "cp850",
    "shift_jis", "euc_jp", "iso2022_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
# What goes on a word. Scripts past these are written without blanks, so that a name stands in its text there.
OF_A_WORD = "0-9A-Za-z_\u00c0-\u1fff-"
ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
# Excel's own escape of a character.
OF_EXCEL = re.compile(r"_x([0-9A-Fa-f]{4})_")
# A number that a spreadsheet or JSON may write instead of the digits of an id.
OTHERWISE_WRITTEN = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE]\+?\d{1,2}|(?<=\.0))(?![\w.])")
# Tags after which another cell begins; within one the others only dress the text.
CELL_ENDS = re.compile(r"</?(?:\w+:)?(?:si|is|c|v|row|p|td|th|tr|li|div|br)\b[^<>]*>", re.IGNORECASE)
READ_ALOUD = re.compile(r"<((?:\w+:)?)rPh\b[^<>]*>\s*<\1t\b[^<>]*>[^<>]*</\1t>\s*</\1rPh>")
TAG = re.compile(r"<[^<>]*>")
BZIP2, XZ, GZIP = b"BZh", b"\xfd7zXZ", b"\x1f\x8b"
# Formats that nothing here reads: 7-Zip, RAR, PDF, old workbooks, and DuckDB's by its ninth byte.
OPAQUE = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"%PDF", b"\xd0\xcf\x11\xe0")
DUCKDB, SQLITE = b"DUCK", b"SQLite format 3\0"
BROKEN = (*containers.BROKEN, FileRefused, duckdb.Error, lzma.LZMAError)


@dataclass(frozen=True)
class Names:
    """By what somebody is named: ids, which are meant to the letter; handles and shown names, in any letter case."""

    ids: tuple[str, ...]
    handles: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @cached_property
    def _exact(self) -> dict[str, re.Pattern[str]]:
        return {text: _word(text) for given in self.ids for text in _forms(given)}

    @cached_property
    def _folded(self) -> dict[str, re.Pattern[str]]:
        handles = {text.casefold() for each in self.handles for text in _forms(each.strip().lstrip("@"))} - {""}
        shown = {text.casefold() for each in self.shown for text in _forms(each.strip())} - {""}
        # A point goes on a handle, but ends a sentence after a name.
        words = {text: _word(text) for text in shown - handles} | {text: _word(text, r"\.") for text in handles}
        return {text: _cell(text) if len(text) < SHORTEST or text.isdecimal() else words[text] for text in words}

    @cached_property
    def _encoded(self) -> dict[bytes, tuple[str, str, re.Pattern[str]]]:
        """Bytes of each name in each encoding in which they are not those of UTF-8, with what it is as a word."""
        found = {}
        texts = dict(self._exact)
        for given in (*self.handles, *self.shown):
            text = given.strip().lstrip("@")
            for way in {text, text.lower(), text.upper(), text.title()}:
                if word := self._folded.get(text.casefold()):
                    texts[way] = word
        for text, word in texts.items():
            for encoding in ENCODINGS:
                try:
                    packed = text.encode(encoding)
                except UnicodeEncodeError:
                    continue
                if packed != text.encode("utf-8", "surrogatepass"):
                    found[packed] = (text, encoding, word)
        return found

    @cached_property
    def _has_digits_alone(self) -> bool:
        return any(text.isdecimal() for text in self._exact)

    @cached_property
    def _has_quotes(self) -> bool:
        return any('"' in text or "'" in text for text in (*self._exact, *self._folded))

    def are_in(self, text: str) -> bool:
        """Whether a text names them, as a word of its own and not within another name."""
        return any(self._are_plain_in(view) for view in self._views(text))

    def out_of(self, text: str, mark: str | None) -> str | None:
        """A text without them: a JSON one without the strings that name them, another one not at all.

        Args:
            mark: what takes the place of such a string; null removes it from a list, too.
        """
        if not self.are_in(text):
            return text
        try:
            left = self._without(json.loads(text), mark)
        except (ValueError, RecursionError):
            return mark
        between = (", ", ": ") if '": ' in text or '", ' in text else (",", ":")
        return None if left is None else json.dumps(left, ensure_ascii="\\u" in text, separators=between)

    def out_of_list(self, text: str) -> str | None:
        """A list, its items between `|`, without those that name them; null where none is left."""
        return "|".join(item for item in text.split("|") if not self.are_in(item)) or None

    def are_in_blocks(self, blocks: Iterable[bytes], depth: int = 0, limit: int = MAX_BYTES) -> bool:
        """Whether the bytes of a file, in their order, name them; what is packed is unpacked.

        Raises one of `BROKEN` where they cannot be read to their end.
        """
        source = _even(_counted(blocks, limit))
        head = next(source, b"")
        whole = chain([head], source)
        if depth > MAX_DEPTH:
            raise FileRefused(f"it is packed more than {MAX_DEPTH} times")
        if head.startswith(OPAQUE) or head[8:12] == DUCKDB:
            raise FileRefused("it is packed in a way that is not read")
        opened = _unpacked(head, whole)
        if opened is not None:
            return self.are_in_blocks(opened, depth + 1, limit)
        if head.startswith(SQLITE):
            return self._are_letters_in(whole)
        if head[:2] == b"PK" or head[:4] == b"PAR1":
            with tempfile.NamedTemporaryFile(suffix=".part") as part:
                for block in whole:
                    part.write(block)
                part.flush()
                return self._are_in_file(Path(part.name), depth, limit)
        return self._are_in_text(whole)

    def are_in_cells(self, reader: duckdb.DuckDBPyConnection, relation: str, seconds: float = SECONDS) -> bool:
        """Whether a cell, or the name of a column, of a relation names them. Raises duckdb.Error past some seconds."""
        self.teach(reader)
        columns = [row[0] for row in reader.execute(f"describe select * from {relation}").fetchall()]
        if self.are_in("\n".join(columns)):
            return True
        cells = ", ".join(f"cast({_name(column)} as varchar)" for column in columns)
        watch = threading.Timer(seconds, reader.interrupt)
        watch.start()
        try:
            query = f"select 1 from (select concat_ws(chr(10), {cells}) as cells from {relation})"
            return reader.execute(f"{query} where {self.sql('cells')} limit 1").fetchone() is not None
        finally:
            watch.cancel()

    def teach(self, reader: duckdb.DuckDBPyConnection) -> None:
        """Let a reader know what `sql` and those who replace a text call."""
        mentioned = Names(self.ids, self.handles)
        functions: dict[str, tuple[Callable[[str], Any], str]] = {
            "names_them": (self.are_in, "boolean"),
            "json_without_them": (lambda text: self.out_of(text, None), "varchar"),
            "list_without_them": (mentioned.out_of_list, "varchar"),
        }
        for name, (function, kind) in functions.items():
            # Of its own accord DuckDB lets no function give null.
            given = _or_null(function)
            reader.create_function(name, given, ["varchar"], kind, null_handling="special")  # type: ignore[call-overload]

    def sql(self, text: str) -> str:
        """Condition that a text names them, for a reader that is taught: false for null.

        A text that holds nothing alike, nor an escape, is told in SQL alone.
        """
        alike = [f"contains({text}, {quote(each)})" for each in self._exact]
        alike += [f"contains(lower({text}), {quote(each)})" for each in self._folded]
        alike += [f"contains({text}, {quote(sign)})" for sign in ("\\", "&", "%", "_x", "<")]
        alike += [f"regexp_matches({text}, '[^\\x00-\\x7F]')"] if not self._are_ascii else []
        alike += [f"regexp_matches({text}, '[0-9][eE.][+0-9]')"] if self._has_digits_alone else []
        alike += [f"contains({text}, '\"')", f"contains({text}, '''''')"] if self._has_quotes else []
        return f"coalesce(case when {' or '.join(alike)} then names_them({text}) else false end, false)"

    @cached_property
    def _are_ascii(self) -> bool:
        return all(text.isascii() for text in (*self.ids, *self.handles, *self.shown))

    def _are_plain_in(self, text: str) -> bool:
        if any(each in text and word.search(text) for each, word in self._exact.items()):
            return True
        if not self._folded:
            return False
        folded = text.casefold()
        return any(each in folded and word.search(folded) for each, word in self._folded.items())

    def _views(self, text: str) -> Iterator[str]:
        """A text as it stands, and as whoever reads it may unfold it."""
        seen, latest = {text}, [text]
        yield text
        for _ in range(ROUNDS):
            fresh = []
            for view in latest:
                for way in (self._unescaped, _without_markup):
                    other = way(view)
                    if other not in seen:
                        seen.add(other)
                        fresh.append(other)
                        yield other
            latest = fresh

    def _unescaped(self, text: str) -> str:
        if "\\" in text:
            text = _whole(ESCAPED.sub(_character, text))
        if "&" in text:
            text = html.unescape(text)
        if "%" in text:
            text = unquote(text)
        if "_x" in text:
            text = OF_EXCEL.sub(lambda found: chr(int(found[1], 16)), text)
        if self._has_quotes:
            text = text.replace('""', '"').replace("''", "'")
        if self._has_digits_alone:
            text = OTHERWISE_WRITTEN.sub(_digits, text)
        return text

    def _without(self, found: Any, mark: str | None) -> Any:
        if isinstance(found, dict):
            return {key: self._without(value, mark) for key, value in found.items() if not self.are_in(key)}
        if isinstance(found, list):
            kept = [self._without(value, mark) for value in found]
            return [new for new, old in zip(kept, found, strict=True) if new is not None or old is None]
        # A short number is a count as well.
        is_told = isinstance(found, str) or (isinstance(found, int | float) and len(str(found)) >= SHORTEST_NUMBER)
        return mark if is_told and self.are_in(str(found)) else found

    def _are_in_text(self, blocks: Iterable[bytes]) -> bool:
        tail = b""
        for block in blocks:
            known = tail + block
            if any(packed in known and _is_word_in(known, packed, *of) for packed, of in self._encoded.items()):
                return True
            has_wide = b"\0" in known or known[:2] in (b"\xff\xfe", b"\xfe\xff")
            encodings = ["utf-8", *(WIDE[:2] if has_wide else ()), *(WIDE[2:] if b"\0\0" in known else ())]
            if any(self.are_in(known.decode(encoding, "replace")) for encoding in encodings):
                return True
            # Cut where a character of any width begins.
            tail = known[max(0, len(known) - OVERLAP) // 4 * 4 :]
        return False

    def _are_letters_in(self, blocks: Iterable[bytes]) -> bool:
        """Whether blocks hold the letters of a name, as a word or not: in SQLite a length stands before a text."""
        tail = ""
        for block in blocks:
            text = tail + block.decode("utf-8", "replace")
            folded = text.casefold()
            if any(each in text for each in self._exact) or any(each in folded for each in self._folded):
                return True
            tail = text[-OVERLAP:]
        return False

    def _are_in_file(self, file: Path, depth: int, limit: int) -> bool:
        """Whether a zip or a Parquet file names them."""
        with file.open("rb") as source:
            if source.read(4) != b"PAR1":
                return self._are_in_zip(file, depth, limit)
        with closing(duckdb.connect(config=DUCKDB_CONFIG | {"memory_limit": "1GB"})) as reader:
            refuse_deep(reader, file)
            seconds = SECONDS + file.stat().st_size / BYTES_A_SECOND
            return self.are_in_cells(reader, f"read_parquet({quote(str(file))}, hive_partitioning = false)", seconds)

    def _are_in_zip(self, file: Path, depth: int, limit: int) -> bool:
        """Whether a member of a zip names them; one that cannot be read hides none of the others."""
        broken: Exception | None = None
        with zipfile.ZipFile(file) as parts:
            for member in parts.infolist():
                try:
                    with parts.open(member) as source:
                        if self.are_in_blocks(containers.blocks(source), depth + 1, limit):
                            return True
                except BROKEN as error:
                    broken = error
        if broken is not None:
            raise broken
        return False


def search(file: Path, names: Names) -> bool | None:
    """Whether a file names them; null for one that cannot be read to its end, and does not as far as it can be."""
    limit = max(MAX_BYTES, 2 * file.stat().st_size)
    is_broken = False
    try:
        with file.open("rb") as source:
            if names.are_in_blocks(containers.blocks(source), limit=limit):
                return True
    except BROKEN:
        is_broken = True
    try:
        with file.open("rb") as source:
            head = source.read(6)
            source.seek(0)
            # What is packed may hold something plain as well: notes of Parquet, what a zip stores as it is.
            is_packed = is_broken or head.startswith((b"PK", b"PAR1", GZIP, BZIP2, XZ, containers.ZSTD))
            if is_packed and names._are_in_text(_even(containers.blocks(source))):
                return True
    except OSError:
        is_broken = True
    return None if is_broken else False


def _or_null(function: Callable[[str], Any]) -> Callable[[str | None], Any]:
    """The same function, null for null."""
    return lambda text: None if text is None else function(text)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _forms(text: str) -> set[str]:
    """A name as it may be composed of characters."""
    return {unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), text} - {""}


def _word(text: str, goes_on: str = "") -> re.Pattern[str]:
    """A name as a word of its own: `a1` is not in `a10`, nor, where a point goes on a word, `a1` in `a1.b`."""
    before = OF_A_WORD if text[0].isascii() else r"\w-"
    after = OF_A_WORD if text[-1].isascii() else r"\w-"
    begins, ends = (rf"(?<![{before}]{goes_on})", rf"(?!{goes_on}[{after}])") if goes_on else ("", "")
    return re.compile(rf"(?<![{before}]){begins}{re.escape(text)}(?![{after}]){ends}")


def _cell(text: str) -> re.Pattern[str]:
    """A name that is a mention, or a whole cell; one of digits alone is a mention only, for it is a count elsewhere."""
    before = "@" if text.isdecimal() else r"(?:^|[\"',;|<>\t\n:\[@/])\s*"
    return re.compile(rf"{before}{re.escape(text)}\s*(?=$|[\"',;|<>\t\r\n\]}}])")


def _character(found: re.Match[str]) -> str:
    for code in found.groups()[:3]:
        if code is not None:
            return chr(min(int(code, 16), 0x10FFFF))
    return CONTROLS.get(found[4], found[4])


def _whole(text: str) -> str:
    """Halves of a character, as JSON writes those past the first 65,536, joined."""
    if re.search("[\ud800-\udbff][\udc00-\udfff]", text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _digits(found: re.Match[str]) -> str:
    number = float(found[0])
    return str(int(number)) if number.is_integer() else found[0]


def _without_markup(text: str) -> str:
    """The text of cells, without what dresses it: each cell by itself."""
    if "<" not in text:
        return text
    first, *others = READ_ALOUD.sub("", text).split("<![CDATA[")
    if not others:
        return _without_tags(first)
    # What stands in it is text, and so are its tags; one without its end is read as it is.
    parts = (part.partition("]]>") for part in others)
    return _without_tags(first) + "".join(f"{inside}{_without_tags(after)}" for inside, _, after in parts)


def _without_tags(text: str) -> str:
    return TAG.sub("", CELL_ENDS.sub("\n", text))


def _is_word_in(known: bytes, packed: bytes, text: str, encoding: str, word: re.Pattern[str]) -> bool:
    """Whether bytes that are a name in an encoding stand there as a word."""
    place = known.find(packed)
    while place >= 0:
        end = place + len(packed)
        before = known[max(0, place - 16) : place].decode(encoding, "ignore")[-2:]
        after = known[end : end + 16].decode(encoding, "ignore")[:2]
        # A name is told from a word of the same letters by what stands around it, in whatever letter case.
        if word.search(f"{before}{text}{after}") or word.search(f"{before}{text}{after}".casefold()):
            return True
        place = known.find(packed, place + 1)
    return False


def _counted(blocks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > limit:
            raise FileRefused(f"it unpacks to more than {limit:,} bytes")
        yield block


def _even(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of one size, so that no character of two or four bytes is cut."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= BLOCK:
            known = b"".join(held)
            whole = len(known) // 4 * 4
            yield known[:whole]
            held, size = [known[whole:]], len(known) - whole
    if size:
        yield b"".join(held)


def _unpacked(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes] | None:
    """What packed bytes hold, by the first of them; null where they are not packed."""
    if head.startswith(GZIP):
        return _inflated(blocks, lambda: zlib.decompressobj(wbits=31))
    if head.startswith(containers.ZSTD):
        import zstandard

        return _inflated(
            blocks, lambda: zstandard.ZstdDecompressor(max_window_size=containers.ZSTD_WINDOW).decompressobj()
        )
    if head.startswith(BZIP2):
        return _inflated(blocks, bz2.BZ2Decompressor)
    if head.startswith(XZ):
        return _inflated(blocks, lzma.LZMADecompressor)
    return None


def _inflated(blocks: Iterator[bytes], make: Callable[[], Any]) -> Iterator[bytes]:
    """What all frames of a packed file hold. Raises FileRefused where the last has no end, or one is damaged."""
    decoder: Any = None
    is_begun = False
    for block in blocks:
        for start in range(0, len(block), containers.ZSTD_BLOCK):
            packed = block[start : start + containers.ZSTD_BLOCK]
            while packed:
                if decoder is None:
                    packed = packed.lstrip(b"\0") if is_begun else packed
                    if not packed:
                        break
                    decoder, is_begun = make(), True
                try:
                    yield decoder.decompress(packed)
                except Exception as error:
                    raise FileRefused(f"it is damaged ({error})") from error
                packed, decoder = (decoder.unused_data, None) if decoder.eof else (b"", decoder)
    if decoder is not None:
        raise FileRefused("it is cut off")
