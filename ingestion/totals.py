"""Rows that sum others: how exports name them."""

import re

from ingestion.sql import quote

# In lower case, without a colon after it. An account may be called so; then its mapping says `skip_totals: false`.
WORDS = (
    "total", "totals", "grand total", "grand totals", "sub total", "subtotal", "sub-total", "total general",
    "total général", "total geral", "sum", "sums", "overall", "summe", "gesamt", "gesamtsumme", "gesamtergebnis",
    "zwischensumme", "insgesamt", "totale", "totale complessivo", "totaal", "eindtotaal", "totalt", "summa",
    "yhteensä", "i alt", "suma", "suma końcowa", "razem", "łącznie", "celkem", "spolu", "összesen", "végösszeg",
    "toplam", "genel toplam", "ukupno", "skupaj", "итого", "всего", "общий итог", "итог", "разом", "усього",
    "合計", "総計", "小計", "总计", "合计", "小计", "總計", "总和", "합계", "총계", "총합", "총합계",
    "jumlah", "tổng", "tổng cộng", "รวม", "ยอดรวม", "المجموع", "الإجمالي", 'סה"כ', "कुल", "कुल योग",
)  # fmt: skip


def is_total(text: str) -> str:
    """SQL whether a trimmed text names a row of sums."""
    pattern = "|".join(re.escape(word) for word in WORDS)
    # Most ids are longer than any of the words; a case tests only what is left.
    longest = max(len(word.encode()) for word in WORDS) + 4
    return (
        f"(case when strlen({text}) <= {longest}"
        f" then regexp_full_match(lower({text}), {quote(f'(?:{pattern})[ :.]*')}) else false end)"
    )
