"""How to read the report, and what its words mean, on one screen."""

from serving.report.returns import MODEL
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common
from serving.report.words import GLOSSARY, MODELS


def read(source: Source, common: Common) -> Row | None:
    """Terms, and the ways of crediting an order; null before the first published figures."""
    if source.marts is None:
        return None
    return {"terms": GLOSSARY, "models": MODELS, "model": MODELS[MODEL]}


SECTION = Section("guide", "How to read this", read)
