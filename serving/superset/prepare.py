"""Bring Superset's own database to what the release of the project holds: tables, roles, login, dashboards.

Runs in Superset's environment. Doing it again changes nothing: every object has an id of its own, and what the project
no longer holds goes. What people make themselves stays.
"""

import os
from pathlib import Path
from typing import Any

import flask_migrate
import yaml
from flask import g
from superset.app import create_app

ASSETS = Path(__file__).parent / "assets"
LOGIN = "admin"
# Never opened: superset_config puts the release of each request in its place.
ADDRESSES = {"duckdb": "duckdb:///groundswell.duckdb", "postgresql": "postgresql+psycopg2://groundswell/groundswell"}


def contents(backend: str) -> dict[str, str]:
    """Every file of `assets/` by its path, the database with the address of what it reads."""
    found = {
        path.relative_to(ASSETS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ASSETS.rglob("*.yaml"))
    }
    for name in [name for name in found if name.startswith("databases/")]:
        database = yaml.safe_load(found[name])
        found[name] = yaml.safe_dump({**database, "sqlalchemy_uri": ADDRESSES[backend]}, sort_keys=False)
    return found


def set_login(manager: Any, password: str) -> Any:
    """The one user, an administrator, with the password of this data folder."""
    user = manager.find_user(username=LOGIN)
    if user is None:
        user = manager.add_user(
            LOGIN, "Groundswell", "Admin", "admin@localhost", manager.find_role("Admin"), password=password
        )
    else:
        manager.reset_password(user.id, password)
    assert user, "Superset made no user"
    return user


def remove_stale(session: Any, files: dict[str, str]) -> None:
    """Remove what an earlier version of the project brought and this one does not."""
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    kept = {yaml.safe_load(text).get("uuid") for text in files.values()}
    for model in (Dashboard, Slice, SqlaTable):
        for row in session.query(model).filter_by(is_managed_externally=True):
            if str(row.uuid) not in kept:
                session.delete(row)
    session.commit()


def main() -> None:
    """Migrate, make the login, import."""
    app = create_app()
    with app.app_context():
        flask_migrate.upgrade()
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.extensions import appbuilder, db, security_manager

        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        password = Path(os.environ["BI_PASSWORD_FILE"]).read_text(encoding="utf-8")
        g.user = set_login(security_manager, password)
        files = contents("postgresql" if os.environ.get("BI_POSTGRES_URL") else "duckdb")
        ImportAssetsCommand(files).run()
        remove_stale(db.session, files)


if __name__ == "__main__":
    main()
