"""The report's sections, in the order in which a page shows them.

A section is a module `<name>.py` that ends in `SECTION = Section(...)`, and a template `<name>.html.j2` beside it. To
add one, write these files and its line below.
"""

from serving.report.sections import (
    advocates,
    audience,
    claims,
    engagement,
    equivalence,
    files,
    graduation,
    money,
    movers,
    overview,
    quality,
    reach,
    run,
    schemes,
    social,
    sources,
    terms,
    tier_changes,
    trust,
)
from serving.report.sections.section import Section

SECTIONS: tuple[Section, ...] = (
    overview.SECTION,
    audience.SECTION,
    movers.SECTION,
    tier_changes.SECTION,
    graduation.SECTION,
    engagement.SECTION,
    reach.SECTION,
    trust.SECTION,
    equivalence.SECTION,
    money.SECTION,
    claims.SECTION,
    advocates.SECTION,
    social.SECTION,
    schemes.SECTION,
    quality.SECTION,
    sources.SECTION,
    terms.SECTION,
    files.SECTION,
    run.SECTION,
)
