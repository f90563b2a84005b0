"""Keys of sources and logins of notices: of an Airflow connection by its id, never in a file."""

from ingestion.config import connection_key


def key_of(connection: str) -> str | None:
    """The password of a connection; null where nobody knows it."""
    login = login_of(connection)
    return login[1] if login else None


def login_of(connection: str) -> tuple[str, str] | None:
    """Login and password of a connection: Airflow's, else the environment's."""
    from airflow.sdk import Connection

    try:
        found = Connection.get(connection)
    except Exception:
        # Airflow raises many kinds of errors for one that is not there; a source without its key says what is missing.
        key = connection_key(connection)
        return ("", key) if key else None
    return (found.login or "", found.password) if found.password else None
