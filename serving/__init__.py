"""From raw to readers: the build, atomic releases, the report."""
