"""What a section of the report is."""

from collections.abc import Callable
from dataclasses import dataclass

from serving.report.source import Row, Source
from serving.report.tiers import Common


@dataclass(frozen=True)
class Section:
    """One section: file stem of its template, link in the page's navigation, marts it reads, and what it shows.

    `label` stands in the navigation of its part; null leaves it out. A section that names `marts` is shown only of a
    release that holds accounts and all of these marts (one that older code published may lack some). `read` gets the
    source and what all sections share, and gives the template's `s`, or null when there is nothing to show. The
    template also knows `source`, `common` and `scheme`, and begins with an import of `macros.html.j2`.
    """

    name: str
    label: str | None
    read: Callable[[Source, Common], Row | None]
    marts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Sections that answer one question, under one link of the navigation; one that is `folded` opens on demand."""

    name: str
    label: str
    sections: tuple[Section, ...]
    folded: str | None = None
