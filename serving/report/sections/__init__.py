"""The report's sections, in the order of a marketer's questions; what engineers ask comes last, folded.

A section is a module `<name>.py` that ends in `SECTION = Section(...)`, and a template `<name>.html.j2` beside it. To
add one, write these files and its line in a part below.
"""

from serving.report.sections import (
    advocates,
    audience,
    campaigns,
    claims,
    collaborations,
    creators,
    engagement,
    equivalence,
    files,
    graduation,
    guide,
    money,
    movers,
    overview,
    posts,
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
from serving.report.sections.section import Part, Section

PARTS: tuple[Part, ...] = (
    Part("today", "Today", (overview.SECTION,)),
    Part("returns", "Money", (money.SECTION,)),
    Part("activity", "Campaigns", (campaigns.SECTION, posts.SECTION, collaborations.SECTION)),
    Part("people", "Creators", (creators.SECTION, equivalence.SECTION)),
    Part("counts", "Look bought", (trust.SECTION,)),
    Part("moves", "What moved", (movers.SECTION, tier_changes.SECTION, graduation.SECTION)),
    Part("size", "Audience", (audience.SECTION, engagement.SECTION, reach.SECTION)),
    Part("brand", "Brand", (social.SECTION, advocates.SECTION, claims.SECTION)),
    Part("help", "How to read", (guide.SECTION,)),
    Part(
        "engineers",
        "For engineers",
        (quality.SECTION, terms.SECTION, sources.SECTION, files.SECTION, schemes.SECTION, run.SECTION),
        "For engineers: checks, sources, files, tier schemes, run and release",
    ),
)

SECTIONS: tuple[Section, ...] = tuple(section for part in PARTS for section in part.sections)
