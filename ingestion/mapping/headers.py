"""What the header of a column says: which column of a feed it may be, and whether it is about a person.

Names are compared as letters and digits of any script, in small letters and without accents.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import yaml

from ingestion.mapping.grammar import tidy

SYNONYMS = Path(__file__).with_name("synonyms.yml")
# How sure a name is: it is the feed's own, it is known, known but for a word beside it, or only alike.
OWN_NAME, KNOWN, KNOWN_IN_PART, ALIKE = 0.999, 0.9, 0.7, 0.5
# Two columns whose names are nearly as good as each other: a person chooses.
NEARLY_AS_GOOD = 0.011
# A number per something, or of its change, is none of the totals that feeds ask for.
NO_TOTAL = re.compile(
    r"\b(avg|average|mean|median|durchschnitt|durchschn|ø|moyenne|moy|promedio|media de|media do|media por|rate|ratio"
    r"|per|pro|par|por|growth|change|changes|gained|lost|delta|diff|difference|new|previous|prev|share|percent|pct"
    r"|target|goal|expected|forecast|predicted|potential|wachstum|croissance|crecimiento|crescimento|er|cpm|cpc|cpe"
    r"|authentic|engagement|last \d+|\d+ ?d|\d+ days|snitt|gemiddeld|平均|率)\b|%|平均|率"
)
PLATFORM_WORDS = {
    "youtube": "youtube", "yt": "youtube", "instagram": "instagram", "insta": "instagram", "ig": "instagram",
    "tiktok": "tiktok", "tt": "tiktok", "twitter": "x", "twitch": "twitch", "chzzk": "chzzk", "facebook": "facebook",
    "fb": "facebook", "pinterest": "pinterest", "snapchat": "snapchat", "threads": "threads", "linkedin": "linkedin",
}  # fmt: skip
# What is said of a person besides their name and their counts, in small letters and without accents.
SENSITIVE = {
    "e-mail": r"e ?mail|mail address|correo|courriel|epost|e ?post|sahkoposti|メール.*",
    "phone number": r"(tele)?phone.*|telefon.*|mobile( number)?|handy|telefono|telefone|cell|whatsapp|tel|電話.*",
    "gender": r"gender|sex|geschlecht|genre|sexe|sexo|genero|kon|sesso|pronouns|性別",
    "birth date or age": r"(date of )?birth ?(date|day)?|dob|geburts(datum|tag)|date de naissance|naissance"
    r"|fecha de nacimiento|nascimento|fodelsedatum|birth|age|alter|edad|idade|生年月日|年齢",
    "ethnicity": r"ethnicity|ethnic|race|ethnie|etnia|herkunft|nationality|nationalitat|nationalite|nacionalidad",
    "religion": r"religion|faith|konfession|religione|religiao",
    "sexual orientation": r"lgbtq?.*|sexual orientation|orientation",
    "address": r"((billing|shipping|street|home|postal|mailing|delivery) )?(address|street)( line)?[ 0-9]*"
    r"|adresse|strasse|anschrift|direccion|endereco|indirizzo|adress|住所|(billing|shipping) (name|zip|phone|company)"
    r"|zip|zip code|postcode|postal code|plz|codigo postal|cep",
    "health": r"disability|health|allergies|diet|medical.*",
    "bank account or tax number": r"iban|bic|bank.*|tax (id|number)|ssn|vat id|passport.*|paypal.*",
    "IP address": r"ip|ip address|client ip|browser ip",
}
NO_NAMES = re.compile(r"\b(share|percent|pct|audience|publikum|audiencia|total|rate|count|verified|valid|type)\b|%")


@lru_cache(maxsize=4096)
def words(title: str) -> str:
    """A header as its words: small letters without accents, what stands in brackets left out."""
    text = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", title) if not re.fullmatch(r"\s*[(\[].*", title) else title
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", tidy(text))
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    text = unicodedata.normalize("NFC", text.replace("ß", "ss").replace("ø", "o").replace("æ", "ae"))
    text = " ".join(re.sub(r"[^\w%]+|_", " ", text).split())
    return re.sub(r"\b(tik) (tok)\b|\b(you) (tube)\b|\b(linked) (in)\b|\b(whats) (app)\b", _joined, text)


def _joined(match: re.Match[str]) -> str:
    return "".join(part for part in match.groups() if part)


@lru_cache(maxsize=4096)
def plain(title: str) -> str:
    """A header as letters and digits alone."""
    return re.sub(r"[\W_]", "", words(title))


@lru_cache(maxsize=1)
def synonyms() -> dict[str, dict[str, int]]:
    """By column, or by feed and column, the place of each name that exports give it."""
    found: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    return {name: {plain(option): place for place, option in enumerate(listed)} for name, listed in found.items()}


@lru_cache(maxsize=512)
def options(feed: str, name: str) -> dict[str, int]:
    """The names that exports give to a column of a feed; the feed's own words come first."""
    known = synonyms()
    own = known.get(f"{feed}.{name}")
    return {option: place + 1 for option, place in (own or known.get(name, {})).items()} | {plain(name): 0}


@lru_cache(maxsize=1)
def _every_name() -> frozenset[str]:
    return frozenset(option for listed in synonyms().values() for option in listed)


def is_known(title: str) -> bool:
    """Whether a header is the name of some column of some feed."""
    return plain(title) in _every_name()


@lru_cache(maxsize=65536)
def likeness(feed: str, name: str, title: str, is_measure: bool, known_else: bool = False) -> float:
    """How much a header looks like a column of a feed, 0 to 1.

    Args:
        is_measure: the column counts something, so an average or a change is none of it.
        known_else: the header is the very name of another column of the feed.
    """
    last = title.rpartition(".")[2] if "." in title and " " not in title else title
    found, listed = plain(last), options(feed, name)
    if not found:
        return 0.0
    if found in listed:
        return 1.0 - 0.002 * listed[found]
    if is_measure and NO_TOTAL.search(words(last)):
        return 0.0
    for shorter in _without_context(words(last)):
        if shorter in listed and shorter not in NOTHING_ALONE:
            return 0.88 - 0.002 * listed[shorter]
    if known_else or len(found) < 6:
        return 0.0
    near = [option for option in listed if len(option) > 5 and abs(len(option) - len(found)) < 3]
    if difflib.get_close_matches(found, near, n=1, cutoff=0.88):
        return 0.55
    return 0.5 if any(len(option) > 5 and option in found for option in listed) else 0.0


CONTEXT = (
    "post", "video", "creator", "influencer", "channel", "account", "profile", "page", "media", "order", "total",
    "lifetime", "current", "latest", "user", "author", "owner", "num", "number of", "no of", "anzahl", "numero de",
    "nombre de", "nb", "the", "of", "count", "publisher", "partner", "media partner", "content", "organic", "gesamt",
    "public", "basic info", "instagram", "youtube", "tiktok", "ig", "yt", "tt", "n", "statistics", "stats",
)  # fmt: skip


# Words that say nothing without what stands before them: of whom, of what.
NOTHING_ALONE = {
    "id",
    "url",
    "link",
    "name",
    "date",
    "datum",
    "type",
    "title",
    "code",
    "time",
    "number",
    "nummer",
    "rate",
    "day",
}


def _without_context(title: str) -> Iterable[str]:
    """A header without words at its ends that say whose it is."""
    parts = title.split(" ")
    for start in range(len(parts)):
        for end in range(len(parts), start, -1):
            before, after = " ".join(parts[:start]), " ".join(parts[end:])
            if (start or end < len(parts)) and all(
                not cut or cut in CONTEXT or _all_context(cut) for cut in (before, after)
            ):
                yield "".join(parts[start:end])


def _all_context(cut: str) -> bool:
    return all(word in CONTEXT for word in cut.split(" "))


def platform_of(title: str) -> str | None:
    """The platform that a header names."""
    return next((PLATFORM_WORDS[word] for word in words(title).split(" ") if word in PLATFORM_WORDS), None)


def without_platform(title: str) -> str:
    """A header without the platform that it names."""
    return " ".join(word for word in words(title).split(" ") if word not in PLATFORM_WORDS)


def sensitive(title: str) -> str | None:
    """What a column tells of a person, by its header; null for nothing that is delicate."""
    said = words(title)
    if NO_NAMES.search(said):
        return None
    for start in ("", "customer ", "kunden ", "buyer ", "creator ", "influencer ", "contact ", "user ", "member "):
        rest = said.removeprefix(start)
        for what, pattern in SENSITIVE.items():
            if re.fullmatch(pattern, rest):
                return what
    return None
