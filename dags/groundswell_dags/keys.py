"""Keys of sources and logins of notices: of an Airflow connection by its id, never in a file."""

from ingestion.config import Login, login_of_environment, secret_of


def login_of(connection: str) -> Login | None:
    """What a connection holds: Airflow's, else the environment's; null where nobody knows one with a password."""
    from airflow.sdk import Connection

    try:
        found = Connection.get(connection)
    except Exception:
        # Airflow raises many kinds of errors for one that is not there; a source without its key says what is missing.
        return login_of_environment(connection)
    return Login(found.login or "", found.password, secret_of(found.extra)) if found.password else None
