"""Exports of many tools by many locales, written from known rows: what inference makes of them, as a table.

`make inference-table` prints it. A file is *right* where each column loads as it was written, *asked* where what differs
is asked or remarked on at its own column (or the file is not called good), else *wrong*. The synonyms were chosen with
the tools of the half `choosing`; those of the half `evaluating` were written down before and not looked at for it.
"""

import argparse
import csv
import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ingestion import landing, parse
from ingestion.config import PROJECT_DIR, Settings
from ingestion.contracts import load_feeds
from ingestion.errors import FileRefused
from ingestion.mapping import infer
from ingestion.mapping.grammar import Mapping, tidy
from ingestion.mapping.guess import Guess
from ingestion.mapping.in_use import library_mappings
from ingestion.readers.table import Reader

from .test_formats import xlsx

AS_OF = datetime(2026, 6, 30, 9, 0)
RIGHT, ASKED, REFUSED, WRONG = "right", "asked", "refused", "wrong"


@dataclass(frozen=True)
class Locale:
    """How a place writes numbers, dates and files."""

    name: str
    mark: str
    group: str
    date: str
    delimiter: str
    encoding: str
    names: tuple[str, ...]
    clock: str = "%H:%M"


LOCALES = {
    each.name: each
    for each in (
        Locale("en-US", ".", ",", "%m/%d/%Y", ",", "utf-8", ("Anna Baker", "Zoë Smith", "Lee O'Neil"), "%I:%M %p"),
        Locale("en-GB", ".", ",", "%d/%m/%Y", ",", "utf-8-sig", ("Anna Baker", "Bea Stone", "Cy Hill")),
        Locale("de", ",", ".", "%d.%m.%Y", ";", "cp1252", ("Jürgen Groß", "Anna Müller", "Käthe Weiß")),
        Locale("fr", ",", "\u202f", "%d/%m/%Y", ";", "utf-8-sig", ("Éloïse Garçon", "Théo Lefèvre", "Anaïs")),
        Locale("fr-excel", ",", "\u00a0", "%d/%m/%Y", ";", "cp1252", ("Éloïse Garçon", "Théo Lefèvre", "Anaïs")),
        Locale("es", ",", ".", "%d/%m/%Y", ";", "utf-8-sig", ("José Núñez", "Begoña Ruíz", "Inés")),
        Locale("pt-BR", ",", ".", "%d/%m/%Y", ";", "cp1252", ("João Conceição", "Inês Simão", "Ana")),
        Locale("it", ",", ".", "%d/%m/%Y", ";", "utf-8", ("Niccolò Esposito", "Ilaria Però", "Ugo")),
        Locale("sv", ",", "\u00a0", "%Y-%m-%d", "\t", "utf-16", ("Åsa Öberg", "Märta Sjö", "Björn")),
        Locale("pl", ",", " ", "%d.%m.%Y", ";", "cp1250", ("Łukasz Żółć", "Agnieszka Dąb", "Paweł")),
        Locale("ja", ".", ",", "%Y/%m/%d", ",", "cp932", ("花子さくら", "太郎ゆき", "アンナ")),
        Locale("plain", ".", "", "%Y-%m-%d", ",", "utf-8", ("Anna", "Bea", "Cy"), "%H:%M:%S"),
    )
}
EVERY = tuple(LOCALES)
WEST = ("en-US", "en-GB", "de", "fr", "es", "pt-BR")


@dataclass(frozen=True)
class Column:
    """A column of an export: its header, the feed column that it is meant for, and how its cells are made.

    Args:
        header: by locale, else under "".
        target: null where it goes to `extra`; several where any of them would do.
        kind: count, text, id, amount, day, time or what a function makes.
        given: the value of a row that was written, where it is not that of the target.
    """

    header: str | dict[str, str]
    target: str | None
    kind: str
    made: Callable[[int, Locale], Any] | None = None

    def title(self, locale: Locale) -> str:
        if isinstance(self.header, str):
            return self.header
        return self.header.get(locale.name, self.header.get(locale.name.partition("-")[0], self.header[""]))


@dataclass(frozen=True)
class Tool:
    """A tool and one export of it."""

    name: str
    half: str
    feed: str
    file: str
    columns: tuple[Column, ...]
    locales: tuple[str, ...] = ("en-US",)
    # What only a person knows: filled in where inference leaves it open.
    given: dict[str, str] = field(default_factory=dict)
    grouped: bool = False
    above: tuple[str, ...] = ()
    total: str = ""
    form: str = "csv"
    quoting: int = csv.QUOTE_MINIMAL
    iso: bool = False
    time: str = ""
    # Feed columns that may be filled or not.
    free: tuple[str, ...] = ()


def c(header: str | dict[str, str], target: str | None, kind: str, made: Any = None) -> Column:
    return Column(header, target, kind, made)


ROWS = 14


def number(n: int, scale: int) -> int:
    """A count of some size; now and then below a thousand."""
    return (n * 7919 + 1013) % scale + (37 if n % 5 == 0 else 1000)


def moment(n: int) -> datetime:
    return datetime(2026, 1, 3, 8, 15) + timedelta(days=n * 11 % 160, hours=n % 7)


def handle(n: int) -> str:
    return f"{('anna', 'bea', 'cy', 'dora', 'emil')[n % 5]}.{('bakes', 'runs', 'tea')[n % 3]}{n}"


HANDLE = lambda n, _: handle(n)  # noqa: E731
NAME = lambda n, locale: f"{locale.names[n % 3]} {n}"  # noqa: E731
MAIL = lambda n, _: f"{handle(n)}@example.com"  # noqa: E731
FOLLOWERS = lambda n, _: number(n, 480_000)  # noqa: E731
LIKES = lambda n, _: number(n, 9_000)  # noqa: E731
FEW = lambda n, _: n * 13 % 400  # noqa: E731
VIEWS = lambda n, _: number(n, 90_000) * 3  # noqa: E731
WHEN = lambda n, _: moment(n)  # noqa: E731
MONEY = lambda n, _: Decimal(number(n, 4_000) * 100 + n * 37 % 100) / 100  # noqa: E731
SMALL = lambda n, _: Decimal(n * 325 % 2000) / 100  # noqa: E731
CODE = lambda n, _: ("ANNA20", "BEA10", "TEA15")[n % 3]  # noqa: E731
ZERO = lambda n, _: Decimal("0.00")  # noqa: E731
ORDER = lambda n, _: f"#{1001 + n}"  # noqa: E731


def words(*options: str) -> Callable[[int, Locale], str]:
    return lambda n, _: options[n % len(options)]


def ids(prefix: str) -> Callable[[int, Locale], str]:
    return lambda n, _: f"{prefix}{180110 + n * 3}"


def url(start: str) -> Callable[[int, Locale], str]:
    return lambda n, _: f"{start}{handle(n)}"


TOOLS = (
    # --- with these the synonyms were chosen
    Tool("Shopify orders", "choosing", "orders", "orders_export_1.csv", (
        c("Name", "order_id", "id", ORDER), c("Email", "customer_id", "text", MAIL),
        c("Financial Status", None, "text", words("paid")), c("Currency", "currency", "text", words("USD")),
        c("Subtotal", None, "amount", MONEY), c("Shipping", "shipping_amount", "amount", SMALL), c("Taxes", "tax_amount", "amount", SMALL),
        c("Total", "gross_amount", "amount", MONEY), c("Discount Code", "promo_code", "text", CODE),
        c("Discount Amount", "discount_amount", "amount", ZERO), c("Created at", "ordered_at", "offset", WHEN),
        c("Lineitem quantity", None, "count", FEW), c("Lineitem name", None, "text", words("Matcha", "Cup")),
        c("Billing Name", None, "text", NAME), c("Phone", None, "text", words("+1 555 0100")),
        c("Refunded Amount", None, "amount", ZERO), c("Id", None, "id", ids("5550")),
    ), ("plain",), free=("country", "city")),
    Tool("Modash", "choosing", "account_snapshots", "modash_instagram_list.csv", (
        c("Username", "account_id", "id", HANDLE), c("Full name", "display_name", "text", NAME),
        c("Followers", "followers", "count", FOLLOWERS), c("Engagement rate", None, "text", words("3.2%", "1.05%")),
        c("Average likes", None, "count", LIKES), c("Country", "country", "text", words("Germany", "France")),
        c("Email", None, "text", MAIL), c("Profile URL", None, "text", url("https://www.instagram.com/")),
    ), EVERY, free=("handle",)),
    Tool("HypeAuditor", "choosing", "account_snapshots", "top_youtube.csv", (
        c("youtuber name", "account_id", "id", HANDLE), c("channel name", "display_name", "text", NAME),
        c("Category", "niche", "text", words("Music", "Food")), c("Subscribers", None, "short", FOLLOWERS),
        c("Subscribers", "followers", "count", FOLLOWERS), c("Audience Country", "country", "text", words("India", "Brazil")),
        c("avg views", None, "short", VIEWS), c("avg likes", None, "count", LIKES),
    ), ("plain",), free=("handle",)),
    Tool("YouTube Studio", "choosing", "post_snapshots", "Table data.csv", (
        c("Content", "post_id", "id", lambda n, _: f"abc{n:02d}DEF{n:03d}"), c("Video title", None, "text", NAME),
        c("Video publish time", "published_at", "worded", WHEN), c("Duration", None, "count", FEW),
        c("Views", "views", "count", VIEWS), c("Watch time (hours)", None, "amount", MONEY),
        c("Subscribers", None, "count", FEW), c("Likes", "likes", "count", LIKES),
        c("Comments added", "comments", "count", FEW), c("Shares", "shares", "count", FEW),
        c("Impressions", "impressions", "count", VIEWS), c("Impressions click-through rate (%)", None, "amount", SMALL),
    ), ("plain",), given={"account_id": "UC123", "platform": "youtube"}, total="Total"),
    Tool("Meta Business Suite", "choosing", "post_snapshots", "Mar-01-2026_Mar-31-2026_instagram.csv", (
        c({"": "Post ID", "de": "Beitrags-ID", "fr": "ID de publication", "es": "ID de la publicación", "pt": "ID do post", "it": "ID post", "sv": "Inläggs-ID"}, "post_id", "id", ids("18")),
        c({"": "Account ID", "de": "Konto-ID", "fr": "ID du compte", "es": "ID de la cuenta", "pt": "ID da conta", "it": "ID account", "sv": "Konto-ID"}, "account_id", "id", lambda n, _: f"1784{n % 2}"),
        c({"": "Account username", "de": "Kontobenutzername", "fr": "Nom d’utilisateur du compte", "es": "Nombre de usuario de la cuenta", "pt": "Nome de usuário da conta", "it": "Nome utente dell'account", "sv": "Kontots användarnamn"}, None, "text", words("anna.bakes", "bea")),
        c({"": "Description", "de": "Beschreibung", "es": "Descripción"}, None, "text", NAME),
        c({"": "Publish time", "de": "Veröffentlichungszeit", "fr": "Heure de publication", "es": "Hora de publicación", "pt": "Horário de publicação", "it": "Ora di pubblicazione", "sv": "Publiceringstid"}, "published_at", "time", WHEN),
        c({"": "Permalink", "de": "Permalink"}, None, "text", url("https://www.instagram.com/reel/")),
        c({"": "Post type", "de": "Beitragsart", "fr": "Type de publication", "es": "Tipo de publicación", "pt": "Tipo de post", "it": "Tipo di post", "sv": "Inläggstyp"}, None, "text", words("IG reel", "IG image")),
        c({"": "Views", "de": "Aufrufe", "fr": "Vues", "es": "Visualizaciones", "pt": "Visualizações", "it": "Visualizzazioni", "sv": "Visningar"}, "views", "count", VIEWS),
        c({"": "Reach", "de": "Reichweite", "fr": "Couverture", "es": "Alcance", "pt": "Alcance", "it": "Copertura", "sv": "Räckvidd"}, "reach", "count", LIKES),
        c({"": "Likes", "de": "„Gefällt mir“-Angaben", "fr": "J’aime", "es": "Me gusta", "pt": "Curtidas", "it": "Mi piace", "sv": "Gilla-markeringar"}, "likes", "count", LIKES),
        c({"": "Shares", "de": "Geteilte Inhalte", "fr": "Partages", "es": "Veces compartido", "pt": "Compartilhamentos", "it": "Condivisioni", "sv": "Delningar"}, "shares", "count", FEW),
        c({"": "Comments", "de": "Kommentare", "fr": "Commentaires", "es": "Comentarios", "pt": "Comentários", "it": "Commenti", "sv": "Kommentarer"}, "comments", "count", FEW),
        c({"": "Saves", "de": "Gespeichert", "fr": "Enregistrements", "es": "Veces guardado", "pt": "Salvamentos", "it": "Salvataggi", "sv": "Sparade"}, "saves", "count", FEW),
    ), (*WEST, "it", "sv"), given={"account_id": "1784"}, free=("content_type",)),
    Tool("Google Sheets by hand", "choosing", "account_snapshots", "Creator list.csv", (
        c({"": "Network", "de": "Netzwerk", "fr": "Réseau", "es": "Red social", "pt": "Rede social", "ja": "プラットフォーム"}, "platform", "text", words("Instagram", "TikTok")),
        c({"": "Username", "de": "Benutzername", "fr": "Nom d'utilisateur", "es": "Usuario", "pt": "Usuário", "it": "Nome utente", "sv": "Användarnamn", "ja": "ユーザー名"}, "account_id", "id", HANDLE),
        c({"": "Date", "de": "Datum", "fr": "Date", "es": "Fecha", "pt": "Data", "it": "Data", "sv": "Datum", "ja": "日付"}, "captured_at", "day", WHEN),
        c({"": "Followers", "de": "Abonnenten", "fr": "Abonnés", "es": "Seguidores", "pt": "Seguidores", "it": "Follower", "sv": "Följare", "ja": "フォロワー数"}, "followers", "count", FOLLOWERS),
        c({"": "Posts", "de": "Beiträge", "fr": "Publications", "es": "Publicaciones", "pt": "Postagens", "sv": "Inlägg", "ja": "投稿数"}, "posts", "count", LIKES),
        c({"": "Gender", "de": "Geschlecht", "es": "Género"}, None, "text", words("f", "m")),
    ), EVERY, grouped=True, above=("Report", ""), free=("handle", "display_name")),
    Tool("pandas", "choosing", "account_snapshots", "followers_2026-03-05.csv", (
        c("", None, "index"), c("platform", "platform", "text", words("instagram")), c("channel_id", "account_id", "id", ids("UC")),
        c("followers", "followers", "float", FOLLOWERS), c("following", "following", "float", FEW), c("name", "display_name", "text", NAME),
    ), ("plain",), iso=True),
    Tool("Costs by hand", "choosing", "costs", "Kosten Creator.csv", (
        c({"": "Invoice number", "de": "Rechnungsnummer", "fr": "Numéro de facture"}, "cost_id", "id", ids("R-")),
        c({"": "Payment date", "de": "Zahlungsdatum", "fr": "Date de paiement", "es": "Fecha de pago"}, "cost_date", "day", WHEN),
        c({"": "Cost type", "de": "Kostenart"}, "cost_type", "text", words("fee", "product")),
        c({"": "Amount", "de": "Betrag", "fr": "Montant", "es": "Importe", "pt": "Valor", "it": "Importo"}, "amount", "amount", MONEY),
        c({"": "Currency", "de": "Währung", "fr": "Devise", "es": "Moneda", "pt": "Moeda", "it": "Valuta"}, "currency", "text", words("EUR")),
    ), (*WEST, "it"), grouped=True),
    Tool("Awin-like", "choosing", "orders", "transactions_2026.csv", (
        c("Transaction ID", "order_id", "id", ids("90")), c("Publisher ID", None, "id", ids("7")), c("Transaction Date", "ordered_at", "time", WHEN),
        c("Sale Amount", "gross_amount", "amount", MONEY), c("Commission", None, "amount", SMALL), c("Currency", "currency", "text", words("GBP")),
        c("Voucher Code", "promo_code", "text", CODE), c("Customer Country", None, "text", words("GB")), c("Customer ID", "customer_id", "id", ids("C")),
    ), ("en-GB", "de", "plain"), free=("country",)),
    Tool("GRIN-like", "choosing", "account_snapshots", "creators.csv", (
        c("Name", "display_name", "text", NAME), c("Email", None, "text", MAIL), c("Instagram Username", "account_id", "id", HANDLE),
        c("Instagram Followers", "followers", "count", FOLLOWERS), c("TikTok Username", None, "id", HANDLE),
        c("TikTok Followers", None, "count", LIKES), c("Tags", None, "text", words("food, vip")),
    ), ("plain", "en-US"), free=("handle",)),
    Tool("TikTok Studio", "choosing", "post_snapshots", "Content_tiktok.csv", (
        c("Video title", None, "text", NAME), c("Video link", "post_id", "text", url("https://www.tiktok.com/@anna/video/")), c("Post time", "published_at", "time", WHEN),
        c("Total likes", "likes", "count", LIKES), c("Total comments", "comments", "count", FEW), c("Total shares", "shares", "count", FEW), c("Total views", "views", "count", VIEWS),
    ), ("plain", "en-US", "en-GB"), given={"account_id": "anna"}),
    Tool("SQL dump of orders", "choosing", "orders", "orders_dump.csv", (
        c("id", None, "index"), c("order_number", "order_id", "id", ids("A")), c("customer_id", "customer_id", "id", ids("c")), c("created_at", "ordered_at", "time", WHEN),
        c("total", "gross_amount", "amount", MONEY), c("discount", "discount_amount", "amount", ZERO), c("currency_code", "currency", "text", words("EUR")), c("coupon", "promo_code", "text", CODE),
    ), ("plain",), quoting=csv.QUOTE_ALL, iso=True),
    # --- with these what was chosen is tried
    Tool("WooCommerce", "evaluating", "orders", "orders-2026-05-01.csv", (
        c("Order Number", "order_id", "id", ids("2")), c("Order Status", None, "text", words("Completed")), c("Order Date", "ordered_at", "time", WHEN),
        c("Customer Note", None, "text", words("")), c("Email (Billing)", "customer_id", "text", MAIL), c("Phone (Billing)", None, "text", words("0301234")),
        c("Country Code (Billing)", "country", "text", words("DE", "FR")), c("Payment Method Title", None, "text", words("PayPal")), c("Cart Discount Amount", "discount_amount", "amount", ZERO),
        c("Order Subtotal Amount", None, "amount", MONEY), c("Order Shipping Amount", "shipping_amount", "amount", SMALL), c("Order Total Amount", "gross_amount", "amount", MONEY),
        c("Order Total Tax Amount", "tax_amount", "amount", SMALL), c("Coupon Code", "promo_code", "text", CODE),
    ), ("plain", "de"), given={"currency": "EUR"}, iso=True),
    Tool("Upfluence-like", "evaluating", "account_snapshots", "upfluence_export.csv", (
        c("Creator Name", "display_name", "text", NAME), c("Instagram Handle", "account_id", "id", HANDLE), c("Follower Count", "followers", "count", FOLLOWERS),
        c("Engagement Rate", None, "text", words("2.1%")), c("Location", None, "text", words("Paris")), c("Language", "language", "text", words("fr")), c("Email address", None, "text", MAIL),
    ), ("plain", "en-US", "fr", "de"), free=("handle", "city")),
    Tool("AspireIQ-like", "evaluating", "post_snapshots", "aspire_content.csv", (
        c("Creator Username", "account_id", "id", HANDLE), c("Network", "platform", "text", words("Instagram", "TikTok")), c("Post URL", "post_id", "text", url("https://www.instagram.com/p/")),
        c("Date Posted", "published_at", "day", WHEN), c("Likes", "likes", "count", LIKES), c("Comments", "comments", "count", FEW), c("Impressions", "impressions", "count", VIEWS),
        c("Reach", "reach", "count", LIKES), c("EMV", None, "amount", MONEY), c("Project", None, "text", words("Spring")),
    ), ("en-US", "en-GB", "plain"), free=("handle",)),
    Tool("CreatorIQ-like", "evaluating", "post_snapshots", "CIQ_posts.xlsx", (
        c("Publisher Id", "account_id", "id", ids("44")), c("Publisher Name", None, "text", NAME), c("Social Network", "platform", "text", words("YouTube", "Instagram")),
        c("Post Id", "post_id", "id", ids("p")), c("Post Date", "published_at", "time", WHEN), c("Post Type", None, "text", words("Video")), c("Post Link", None, "text", url("https://x.example/")),
        c("Likes", "likes", "count", LIKES), c("Comments", "comments", "count", FEW), c("Video Views", "views", "count", VIEWS), c("Saves", "saves", "count", FEW), c("Estimated Impressions", None, "count", VIEWS),
    ), ("plain",), form="xlsx", above=("Campaign report",), iso=True, free=("content_type",)),
    Tool("impact.com", "evaluating", "orders", "Action_Listing.csv", (
        c("Action Id", "order_id", "text", ids("99.")), c("Action Date", "ordered_at", "time", WHEN), c("Partner", None, "text", NAME), c("Status", None, "text", words("APPROVED")),
        c("Promo Code", "promo_code", "text", CODE), c("Sale Amount", "gross_amount", "amount", MONEY), c("Payout", None, "amount", SMALL), c("Currency", "currency", "text", words("USD")),
        c("Customer Id", "customer_id", "id", ids("k")), c("Customer City", None, "text", words("Bonn")),
    ), ("en-US", "plain"), free=("city",)),
    Tool("R", "evaluating", "post_snapshots", "posts.csv", (
        c("", None, "rownames"), c("post_id", "post_id", "id", ids("p")), c("user", "account_id", "id", HANDLE), c("created", "published_at", "time", WHEN),
        c("like_count", "likes", "na", LIKES), c("comment_count", "comments", "na", FEW), c("views", "views", "na", VIEWS),
    ), ("plain",), quoting=csv.QUOTE_NONNUMERIC, given={"platform": "tiktok"}, iso=True),
    Tool("API dump of accounts", "choosing", "account_snapshots", "youtube_channels.json", (
        c("id", "account_id", "id", ids("UC")), c("snippet.title", "display_name", "text", NAME), c("snippet.country", "country", "text", words("DE", "JP")),
        c("statistics.subscriberCount", "followers", "string", FOLLOWERS), c("statistics.viewCount", "views_total", "string", VIEWS), c("statistics.videoCount", "posts", "string", FEW),
    ), ("plain",), form="json", iso=True),
    Tool("Heepsy-like", "evaluating", "account_snapshots", "heepsy tiktok.csv", (
        c({"": "Handle", "es": "Usuario"}, "account_id", "id", lambda n, _: "@" + handle(n)), c({"": "Name", "es": "Nombre"}, "display_name", "text", NAME), c({"": "Followers", "es": "Seguidores"}, "followers", "count", FOLLOWERS),
        c({"": "Following", "es": "Seguidos"}, "following", "count", FEW), c({"": "Total likes", "es": "Me gusta totales"}, "likes_total", "count", VIEWS), c({"": "Category", "es": "Categoría"}, "niche", "text", words("Food")),
    ), ("en-US", "es", "plain"), grouped=True, free=("handle",)),
    Tool("TikTok Shop", "evaluating", "orders", "All order-2026-06.csv", (
        c("Order ID", "order_id", "id", ids("5769")), c("Order Status", None, "text", words("Shipped")), c("SKU ID", None, "id", ids("17")), c("Product Name", None, "text", words("Tea")), c("Quantity", None, "count", FEW),
        c("SKU Seller Discount", None, "amount", ZERO), c("Shipping Fee After Discount", None, "amount", SMALL), c("Taxes", "tax_amount", "amount", SMALL), c("Order Amount", "gross_amount", "amount", MONEY),
        c("Created Time", "ordered_at", "time", WHEN), c("Buyer Username", "customer_id", "text", HANDLE), c("Recipient", None, "text", NAME), c("Country", "country", "text", words("United States")),
    ), ("en-US", "en-GB"), given={"currency": "USD"}),
    Tool("Campaigns by hand", "evaluating", "campaigns", "Campaign plan.csv", (
        c("Campaign ID", "campaign_id", "id", ids("c")), c({"": "Brand", "de": "Marke", "fr": "Marque", "es": "Marca"}, "brand", "text", words("acme")), c({"": "Campaign name"}, "name", "text", NAME),
        c({"": "Start date", "de": "Startdatum", "fr": "Date de début", "es": "Fecha de inicio"}, "start_date", "day", WHEN), c({"": "End date", "de": "Enddatum", "fr": "Date de fin", "es": "Fecha de fin"}, "end_date", "day", lambda n, _: moment(n) + timedelta(days=30)),
        c("Budget", "budget", "amount", MONEY), c({"": "Currency", "de": "Währung", "fr": "Devise", "es": "Moneda"}, "currency", "text", words("EUR")),
    ), WEST, grouped=True),
    Tool("Refunds", "evaluating", "refunds", "refunds-q1.csv", (
        c("Refund ID", "refund_id", "id", ids("re")), c("Order number", "order_id", "id", ids("A")), c("Refund date", "refunded_at", "day", WHEN), c("Refund amount", "amount", "amount", MONEY),
        c("Currency", "currency", "text", words("EUR")), c("Reason", None, "text", words("damaged")),
    ), ("en-US", "de", "plain", "sv"), grouped=True),
    Tool("Rates of a bank", "evaluating", "fx_rates", "wechselkurse.csv", (
        c({"": "Date", "de": "Datum"}, "rate_date", "day", WHEN), c({"": "Currency", "de": "Währung"}, "currency", "text", words("USD", "GBP", "JPY")), c({"": "Rate", "de": "Kurs"}, "rate_to_base", "rate", lambda n, _: Decimal(10850 + n * 13) / 10000),
    ), ("en-GB", "de", "plain", "fr")),
    Tool("Metricool-like", "evaluating", "post_snapshots", "metricool_instagram_posts.csv", (
        c("URL", "post_id", "text", url("https://www.instagram.com/p/")), c("Date", "published_at", "time", WHEN), c("Type", None, "text", words("REEL")), c("Impressions", "impressions", "count", VIEWS),
        c("Reach", "reach", "count", LIKES), c("Likes", "likes", "count", LIKES), c("Comments", "comments", "count", FEW), c("Saved", "saves", "count", FEW), c("Engagement", None, "amount", SMALL),
    ), ("plain", "en-US", "de", "fr"), given={"account_id": "anna"}, free=("content_type",)),
    Tool("Sheet in Japanese", "evaluating", "account_snapshots", "インスタ一覧.csv", (
        c("アカウント", "account_id", "id", HANDLE), c("名前", "display_name", "text", NAME), c("フォロワー", "followers", "count", FOLLOWERS), c("投稿数", "posts", "count", FEW), c("メールアドレス", None, "text", MAIL),
    ), ("ja",), grouped=True, given={"platform": "instagram"}, free=("handle",)),
    Tool("Payouts of an agency", "evaluating", "costs", "payouts.csv", (
        c("Payout ID", "cost_id", "id", ids("po_")), c("Creator", None, "text", NAME), c("Paid on", "cost_date", "day", WHEN), c("Amount paid", "amount", "money", MONEY), c("IBAN", None, "text", words("DE00 0000")),
    ), ("en-US", "de", "plain"), given={"cost_type": "fee", "currency": "EUR"}),
)  # fmt: skip


@dataclass(frozen=True)
class Export:
    """A file as a tool writes it in a locale, and what each of its rows means."""

    tool: Tool
    locale: Locale
    name: str
    content: bytes
    rows: list[dict[str, Any]]
    headers: dict[str, str]
    is_doubtful: bool = False


def exports(half: str | None = None, most: int | None = None) -> Iterator[Export]:
    """Every tool in each of its locales."""
    for tool in TOOLS:
        if half in (None, tool.half):
            for name in tool.locales[:most]:
                yield export(tool, LOCALES[name])
                # The dates and numbers of some files can all be read in two ways.
                if tool.form == "csv" and not tool.iso and (tool.grouped or name not in ("plain", "sv", "ja")):
                    yield export(tool, LOCALES[name], is_doubtful=True)


def doubtful(column: Column, value: Any, n: int) -> Any:
    """A value near it of which all readings look well."""
    if isinstance(value, datetime):
        return value.replace(day=1 + value.day % 12)
    if column.kind in ("count", "amount", "money", "short"):
        return type(value)(int(value) // 1000 % 999 * 1000 + 1000)
    return value


def export(tool: Tool, locale: Locale, is_doubtful: bool = False) -> Export:
    titles = [column.title(locale) for column in tool.columns]
    shown: list[list[Any]] = []
    meant: list[dict[str, Any]] = []
    for n in range(ROWS):
        values = [column.made(n, locale) if column.made else n for column in tool.columns]
        if is_doubtful:
            values = [doubtful(column, value, n) for column, value in zip(tool.columns, values, strict=True)]
        shown.append([cell(tool, column, value, n, locale) for column, value in zip(tool.columns, values, strict=True)])
        meant.append({c.target: value_of(c, v, n) for c, v in zip(tool.columns, values, strict=True) if c.target})
    if tool.total:
        shown.insert(0, [tool.total, *["" if not isinstance(x, str) or not x.isdigit() else "9" for x in shown[0][1:]]])
    content = written(tool, locale, titles, shown)
    headers = {column.target: tidy(column.title(locale)) for column in tool.columns if column.target}
    return Export(tool, locale, tool.file, content, meant, headers, is_doubtful)


def value_of(column: Column, value: Any, n: int) -> Any:
    """What a cell means: the day alone where no clock is written, nothing where it is null."""
    if column.kind in ("day", "worded"):
        return datetime(value.year, value.month, value.day)
    if column.kind == "offset":
        return value + timedelta(hours=4)
    return None if column.kind == "na" and n % 6 == 5 else value


def cell(tool: Tool, column: Column, value: Any, n: int, locale: Locale) -> Any:
    """A value as the tool writes it in the locale."""
    if column.kind in ("index", "rownames"):
        return str(n) if column.kind == "index" else str(n + 1)
    if column.kind == "count":
        return f"{value:,}".replace(",", locale.group) if tool.grouped else str(value)
    if column.kind == "float":
        return f"{value}.0"
    if column.kind == "na":
        return "NA" if n % 6 == 5 else value
    if column.kind == "short":
        return f"{value / 1000:.1f}K" if value >= 1000 else str(value)
    if column.kind in ("amount", "money", "rate"):
        text = f"{value:,.4f}" if column.kind == "rate" else f"{value:,.2f}"
        whole, _, places = text.partition(".")
        whole = whole.replace(",", locale.group if tool.grouped else "")
        text = whole if tool.grouped and not places.strip("0") else f"{whole}{locale.mark}{places}"
        return text if column.kind != "money" else f"€{text}" if locale.mark == "." else f"{text} €"
    if column.kind == "worded":
        return value.strftime("%b %d, %Y").replace(" 0", " ")
    if column.kind == "offset":
        return value.strftime("%Y-%m-%d %H:%M:%S -0400")
    if column.kind in ("day", "time"):
        day = "%Y-%m-%d" if tool.iso else locale.date
        return value.strftime(day if column.kind == "day" else f"{day} {'%H:%M:%S' if tool.iso else locale.clock}")
    return str(value)


def written(tool: Tool, locale: Locale, titles: list[str], rows: list[list[Any]]) -> bytes:
    if tool.form == "xlsx":
        return xlsx(*([line] for line in tool.above), titles, *rows)
    if tool.form == "json":
        records = []
        for row in rows:
            record: dict[str, Any] = {}
            for title, value in zip(titles, row, strict=True):
                inner = record
                *path, last = title.split(".")
                for key in path:
                    inner = inner.setdefault(key, {})
                inner[last] = value
            records.append(record)
        return json.dumps({"kind": "list", "items": records}, ensure_ascii=False, indent=1).encode()
    out = io.StringIO(newline="")
    for line in tool.above:
        out.write(line + "\r\n")
    writer = csv.writer(out, delimiter=locale.delimiter, quoting=tool.quoting, lineterminator="\r\n")  # type: ignore[arg-type]
    writer.writerow(titles)
    writer.writerows(rows)
    encoding = locale.encoding
    return out.getvalue().encode(encoding, "replace")


# --- what inference makes of them


@dataclass(frozen=True)
class Verdict:
    """Right, asked, refused or wrong; and what differs."""

    kind: str
    differs: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()


def evaluate(reader: Reader, folder: Path, made: Export) -> Verdict:
    """What inference makes of an export."""
    path = folder / "file"
    path.write_bytes(made.content)
    try:
        file_format = infer.format_of(path, made.name)
        guess = infer.infer(reader, path, made.name, file_format)
    except FileRefused as error:
        return Verdict(REFUSED, (str(error),))
    covered = covered_by(guess)
    tool = made.tool
    if guess.feeds[0] != tool.feed:
        offered = any(f"--feed {tool.feed}" == a.line for q in guess.questions if not q.key for a in q.answers)
        is_held_back = guess.is_open or not guess.has_measure or not guess.is_like_a_feed
        return Verdict(ASKED if offered or is_held_back else WRONG, (f"feed {guess.feeds[0]}",), tuple(sorted(covered)))
    values = values_that_differ(reader, path, guess, made, file_format)
    differs = [*sources_that_differ(guess, made, values), *(values or ())]
    silent = [each for each in differs if each.partition(" ")[0] not in covered and "*" not in covered]
    if silent:
        return Verdict(WRONG, tuple(silent), tuple(sorted(covered)))
    left_open = [name for name in guess.open_ends if name not in tool.given]
    if differs or (guess.is_open and (left_open or any(q.is_open for q in guess.questions))) or guess.open_ends:
        return Verdict(ASKED, tuple(differs) or tuple(guess.open_ends), tuple(sorted(covered)))
    return Verdict(RIGHT)


def covered_by(guess: Guess) -> set[str]:
    """Columns of the feed at which something is asked or remarked; `*` for a question of the whole file."""
    found: set[str] = set(guess.open_ends)
    for question in guess.questions:
        if question.key == "encoding":
            found |= TEXTS
        elif question.key:
            found |= set(question.columns)
    found |= {key.removeprefix("columns.") for key in guess.remarks if key.startswith("columns.")}
    if "zone" in guess.remarks:
        found |= {"(zone)"}
    return found


TEXTS = {"display_name", "niche", "name", "country", "account_id", "handle"}


def columns_of(guess: Guess) -> dict[str, Any]:
    parts = guess.content.get("feeds") or [guess.content]
    columns: dict[str, Any] = parts[0]["columns"]
    return columns


def sources_that_differ(guess: Guess, made: Export, values: list[str] | None) -> list[str]:
    """Columns that are read from another one than they were written to, or from none.

    Another one that holds the very values is as good, where they could be compared.
    """
    found = []
    columns = columns_of(guess)
    for name, header in made.headers.items():
        source = columns.get(name)
        if name in guess.open_ends:
            continue
        if source is None:
            found.append(f"{name} is not read from {header!r}")
        elif values is None and source.get("from") != header and "compute" not in source:
            found.append(f"{name} is read from {source}, not from {header!r}")
    fixed = {"platform", "captured_at", "currency", "status", *made.tool.free, *made.tool.given}
    for name, source in columns.items():
        if name not in made.headers and name not in fixed:
            found.append(f"{name} is read from {source}")
    return found


def values_that_differ(reader: Reader, path: Path, guess: Guess, made: Export, file_format: str) -> list[str] | None:
    """Columns of which a row that loads has another value than was written; null where none loads yet."""
    content = {**guess.content}
    given = {name: {"constant": made.tool.given[name]} for name in guess.open_ends if name in made.tool.given}
    if len(given) < len(guess.open_ends):
        return None
    if "feeds" not in content:
        content["columns"] = content["columns"] | given
    mapping = Mapping.model_validate(content)
    moment_ = datetime.now(UTC).replace(tzinfo=None)
    file_time = mapping.file_time_of(made.name)
    delivery = parse.Delivery("b", "s", made.name, file_time or AS_OF, file_time, moment_)
    parts = next(iter(mapping.parts_by_feed.values()))
    try:
        outcome = parse.read_file(reader, path, mapping, parts, file_format, delivery)
    except FileRefused as error:
        return [f"(file) {error}"]
    names = [name for name in made.headers if name in columns_of(guess)]
    # Of several platforms in a row the first is compared.
    platform = parts[0].columns["platform"].constant if len(parts) > 1 else None
    where = f"where platform = '{platform}'" if platform else ""
    rows = reader.execute(f"select {', '.join(names)} from accepted {where} order by source_line").fetchall()
    lines = len(made.rows)
    if outcome.rows_accepted and len(rows) != lines and not any(q.is_open for q in guess.questions):
        return [f"(rows) {len(rows)} of {lines} load"]
    if len(rows) != lines:
        # Rows that wait for an answer are no wrong ones.
        return None
    found = []
    hashed = {name for name, source in columns_of(guess).items() if source.get("hash")}
    for place, name in enumerate(names):
        if name in hashed:
            continue
        for row, meant in zip(rows, made.rows, strict=True):
            if not same(name, row[place], meant[name], made):
                found.append(f"{name} is {row[place]!r}, not {meant[name]!r}")
                break
    return found


def same(name: str, found: Any, meant: Any, made: Export) -> bool:
    column = load_feeds()[made.tool.feed].columns[name]
    if meant is None or found is None:
        return found is meant
    if column.known:
        return True
    if column.type == "date":
        return str(found) == str(meant)[:10]
    if column.type == "timestamp":
        return bool(found == meant)
    if isinstance(meant, Decimal | int):
        return Decimal(str(found)) == Decimal(str(meant))
    return str(found).lower().removeprefix("@") in (str(meant).lower().removeprefix("@"), str(meant).lower())


def table(half: str | None = None, most: int | None = None) -> list[tuple[Export, Verdict]]:
    """Each export with its verdict."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder) / "data", hash_key=SecretStr("k" * 20))  # type: ignore[call-arg]
        with parse.connect(settings) as reader:
            for made in exports(half, most):
                found.append((made, evaluate(reader, Path(folder), made)))
    return found


# --- the library's fixtures, and the sample: what a person has mapped already


def mapped_files() -> list[tuple[Path, Mapping]]:
    """Files of the project that a mapping of the library claims."""
    folders = [PROJECT_DIR / "tests" / "fixtures" / name for name in ("exports", "campaigns")]
    files = [path for folder in [*folders, PROJECT_DIR / "sample" / "landing"] for path in folder.rglob("*")]
    found = []
    # The simulated part of the sample has the feeds' own columns.
    for path in sorted(path for path in files if path.is_file() and not path.name.startswith("simulated_")):
        claims = [each for each in library_mappings().values() if each.claims(path.as_posix())]
        if claims:
            found.append((path, claims[0]))
    return found


def evaluate_mapped(reader: Reader, folder: Path, path: Path, mapping: Mapping) -> Verdict:
    """What inference makes of a file that the library can read: the same rows, or a question."""
    copy = folder / "file"
    shutil.copyfile(path, copy)
    plain = landing.unpack(copy, 1 << 30)
    file_format = infer.format_of(plain, path.name)
    try:
        guess = infer.infer(reader, plain, path.name, file_format)
    except FileRefused as error:
        return Verdict(REFUSED, (str(error),))
    feed = guess.feeds[0]
    parts = mapping.parts_by_feed.get(feed)
    if parts is None:
        offered = {answer.line for question in guess.questions if not question.key for answer in question.answers}
        is_asked = (
            guess.is_open or not guess.has_measure or offered & {f"--feed {each}" for each in mapping.parts_by_feed}
        )
        return Verdict(ASKED if is_asked else WRONG, (f"feed {feed}, not {', '.join(mapping.parts_by_feed)}",))
    columns, covered = columns_of(guess), covered_by(guess)
    differs = []
    for name, source in parts[0].columns.items():
        theirs, mine = source.from_, columns.get(name, {}).get("from")
        is_filled = source.from_ is not None or source.compute is not None
        if (
            is_filled
            and theirs != mine
            and name not in covered
            and not _says_the_same(reader, plain, file_format, guess, mapping, name)
        ):
            differs.append(f"{name} is read from {mine!r}, not from {theirs or source.compute!r}")
    if differs:
        return Verdict(WRONG, tuple(differs))
    return Verdict(ASKED if guess.is_open else RIGHT, tuple(guess.open_ends))


def _says_the_same(reader: Reader, plain: Path, file_format: str, guess: Guess, mapping: Mapping, name: str) -> bool:
    """Whether a column of a feed has the same values under both mappings."""
    mine = guess.mapping()
    if mine is None or name not in columns_of(guess):
        return False
    found = []
    for each in (mine, mapping):
        moment_ = datetime.now(UTC).replace(tzinfo=None)
        delivery = parse.Delivery("b", "s", "x", AS_OF, AS_OF, moment_, is_whole=True)
        try:
            parse.read_file(reader, plain, each, each.parts_by_feed[guess.feeds[0]], file_format, delivery)
        except FileRefused:
            return False
        rows = reader.execute(f"select source_line, cast({name} as varchar) from accepted").fetchall()
        found.append(dict(rows))
    return all(found[0].get(line, value) == value for line, value in found[1].items())


def table_of_library(most: int | None = None) -> list[tuple[Path, Verdict]]:
    """Each file that the library can read, with its verdict; of each mapping so many at most."""
    seen: Counter[str] = Counter()
    files = []
    for path, mapping in mapped_files():
        seen[mapping.mapping] += 1
        files += [(path, mapping)] if most is None or seen[mapping.mapping] <= most else []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder) / "data", hash_key=SecretStr("k" * 20))  # type: ignore[call-arg]
        with parse.connect(settings) as reader:
            return [(path, evaluate_mapped(reader, Path(folder), path, mapping)) for path, mapping in files]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["choosing", "evaluating"])
    parser.add_argument("--all", action="store_true", help="say of each file what differs")
    given = parser.parse_args()
    found = table(given.half)
    print(f"{'half':<11} {'tool':<24} {'files':>5} {RIGHT:>6} {ASKED:>6} {REFUSED:>8} {WRONG:>6}")
    for tool in dict.fromkeys(made.tool.name for made, _ in found):
        mine = [(made, verdict) for made, verdict in found if made.tool.name == tool]
        kinds = Counter(verdict.kind for _, verdict in mine)
        line = f"{mine[0][0].tool.half:<11} {tool:<24} {len(mine):>5}"
        print(line + f" {kinds[RIGHT]:>6} {kinds[ASKED]:>6} {kinds[REFUSED]:>8} {kinds[WRONG]:>6}")
        for made, verdict in mine:
            if verdict.kind == WRONG or given.all:
                print(
                    f"    {made.locale.name + ('*' if made.is_doubtful else ''):<9} {verdict.kind:<6} {'; '.join(verdict.differs)[:200]}"
                )
    for half in dict.fromkeys(made.tool.half for made, _ in found):
        kinds = Counter(verdict.kind for made, verdict in found if made.tool.half == half)
        good = (kinds[RIGHT] + kinds[ASKED]) / kinds.total()
        print(f"{half}: {kinds.total()} files, right or asked {good:.2f}, wrong {kinds[WRONG]}")
    library = table_of_library() if given.half is None else []
    kinds = Counter(verdict.kind for _, verdict in library)
    print(f"files that the library reads: {kinds.total()}, {', '.join(f'{kind} {n}' for kind, n in kinds.items())}")
    for path, verdict in library:
        if verdict.kind == WRONG or given.all:
            print(
                f"    {path.relative_to(PROJECT_DIR).as_posix():<70} {verdict.kind:<6} {'; '.join(verdict.differs)[:200]}"
            )
    return int(any(verdict.kind == WRONG for _, verdict in [*found, *library]))


if __name__ == "__main__":
    raise SystemExit(main())
