"""In which encoding the bytes of a text are likely written, and in which others they could be."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from ingestion.readers import text

# Letters that the languages of an encoding write; of the others of its letters hardly any stands in a text.
WESTERN = "äöüßéèêëàâáãåæçîïíìñôóòõøœùûúÿšž"
LETTERS = {
    "cp1252": WESTERN,
    "cp1250": "ąćęłńóśźżčďěňřšťůúýžáéíőűöüäßăâîşţôĺľđ",
    "cp1254": "ğışçöüâîûéèêàáíóúñä",
    "cp1251": "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўђјљњћџ",
    "mac_roman": WESTERN,
}
# Encodings of more bytes than one a letter, and the script that a text of theirs is full of.
WIDE = {
    "cp932": ("HIRAGANA", "KATAKANA", "CJK"),
    "euc_jp": ("HIRAGANA", "KATAKANA", "CJK"),
    "cp949": ("HANGUL",),
    "gb18030": ("CJK",),
    "big5": ("CJK",),
}
# What stands between words in any language.
SIGNS = "€£¥©®™°·•–—…«»“”„‘’‚¿¡ºª´×½ \u00a0"
MONEY = "€£¥"
LIKELY, NEARLY_AS_LIKELY = 0.6, 0.3
LOOKED_AT = 400
# A Japanese text of some length has kana beside its signs.
NO_KANA = 0.75


@dataclass(frozen=True)
class Encoding:
    """The likeliest encoding of a file; others in which its bytes are text as well; a word of it in each."""

    name: str
    rivals: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()


def likely(head: bytes) -> Encoding:
    """The encoding of a file that begins so."""
    if text.looks_wide(head) == "UTF-32":
        end = "be" if head[:1] == b"\0" else "le"
        return Encoding("utf-32" if head.startswith(text.UTF32_BOMS) else f"utf-32-{end}")
    if head.startswith(text.UTF16_BOMS):
        return Encoding("utf-16")
    if text.looks_like_utf16(head):
        return Encoding("utf-16-le" if head[1:2] == b"\0" else "utf-16-be")
    if _decoded(head, "utf-8") is not None:
        return Encoding("utf-8")
    scores = {name: _score(head, name) for name in (*LETTERS, *WIDE)}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < LIKELY:
        return Encoding("cp1252", tuple(name for name in LETTERS if name != "cp1252"), _words(head, tuple(LETTERS)))
    mine = _decoded(head, best)
    rivals: list[str] = []
    seen = {mine}
    for name in sorted(scores, key=lambda name: -scores[name]):
        other = _decoded(head, name)
        if other is not None and other not in seen and scores[name] >= scores[best] - NEARLY_AS_LIKELY:
            rivals.append(name)
            seen.add(other)
    return Encoding(best, tuple(rivals), _words(head, (best, *rivals)))


def _decoded(head: bytes, name: str) -> str | None:
    """The text in an encoding, without a letter that is cut at its end; null where it is none."""
    try:
        return codecs.getincrementaldecoder(name)("strict").decode(head)
    except UnicodeDecodeError:
        return None


def _foreign(head: bytes) -> list[bytes]:
    """Words with bytes that are no ASCII, each once."""
    return list(dict.fromkeys(re.findall(rb"[^\x00-\x20,;|\"]*[\x80-\xff][^\x00-\x20,;|\"]*", head)))[:LOOKED_AT]


def _words(head: bytes, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """One word of the file in each encoding: the first that they do not read alike."""
    for word in _foreign(head):
        shown = [(name, word.decode(name, "replace")) for name in names]
        if len({each for _, each in shown}) == len(names):
            return tuple(shown)
    return tuple((name, word.decode(name, "replace")) for word in _foreign(head)[:1] for name in names)


def _score(head: bytes, name: str) -> float:
    """Share of the words in which every letter is one that people write, and stands where they write it."""
    decoded = _decoded(head, name)
    if decoded is None:
        return 0.0
    words = re.findall(r"\S*[^\x00-\x7f]\S*", decoded)[:LOOKED_AT]
    good: float = sum(_is_wide(word, name) if name in WIDE else _is_word(word, LETTERS[name]) for word in words)
    if WIDE.get(name, ("",))[0] == "HIRAGANA" and not re.search("[぀-ヿ]", decoded):
        good *= NO_KANA
    return good / len(words) if words else 0.0


def _is_word(word: str, letters: str) -> bool:
    for part in re.findall(r"[^\W\d_]+", word):
        foreign = [letter for letter in part if not letter.isascii()]
        if any(letter.lower()[0] not in letters and letter != "İ" for letter in foreign):
            return False
        is_cyrillic = "а" in letters
        # A Latin word has accents here and there (in Polish a short one may have nothing else), a Cyrillic one no
        # Latin letter.
        most = 0 if is_cyrillic else max(4 if "ż" in letters else 2, len(part) * 0.6)
        if foreign and (len(part) - len(foreign) > most if is_cyrillic else len(foreign) > most):
            return False
        # A capital within small letters is a wrong byte.
        if foreign and not (part[1:].islower() or part.isupper() or len(part) == 1):
            return False
    if re.search(rf"[{MONEY}][^\W\d_]", word):
        return False
    return all(sign.isascii() or sign.isalpha() or sign in SIGNS for sign in word)


def _is_wide(word: str, name: str) -> bool:
    scripts = [unicodedata.name(letter, "").split(" ")[0] for letter in word if not letter.isascii()]
    known = sum(script in WIDE[name] for script in scripts)
    if known < len(scripts) * 0.8 or (known < 2 and len(word) > 1):
        return False
    if name in ("cp932", "euc_jp"):
        return True
    # The commoner half of the signs stands first in both tables.
    encoded = [letter.encode(name) for letter in word if not letter.isascii() and unicodedata.category(letter) == "Lo"]
    first, last = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp949": (0xB0, 0xC8)}[name]
    return all((len(each) == 2 and first <= each[0] <= last and each[1] >= 0xA1) or name == "big5" for each in encoded)
