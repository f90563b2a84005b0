"""`python -m warehouse.cli` is the `groundswell` command."""

from warehouse.cli.main import main

main()
