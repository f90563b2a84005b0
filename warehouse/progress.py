"""How far a long command is: a bar on a terminal, a line per step elsewhere."""

import shutil
import sys
import time

BAR = 24


class Bar:
    """One line on a terminal that says how far a backfill is; on anything else a line per step."""

    def __init__(self, steps: tuple[str, ...]) -> None:
        self._steps, self._at, self._started = steps, 0, time.monotonic()
        self._live = sys.stderr.isatty()

    def step(self, name: str) -> None:
        """A step begins."""
        self._at = self._steps.index(name)
        self._draw(self._at / len(self._steps), name)

    def node(self, name: str, done: int, total: int) -> None:
        """A model, seed or test of the step has ended."""
        if self._live:
            self._draw((self._at + done / max(total, 1)) / len(self._steps), f"{self._steps[self._at]}: {name}")

    def end(self, what: str, is_done: bool = True) -> None:
        """The last line."""
        self._draw(1.0 if is_done else self._at / len(self._steps), what)
        if self._live:
            sys.stderr.write("\n")

    def _draw(self, share: float, what: str) -> None:
        full = round(share * BAR)
        line = f"[{'#' * full}{'.' * (BAR - full)}] {share:4.0%} {time.monotonic() - self._started:5.0f} s  {what}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{line[:width]:<{width}}" if self._live else f"{line}\n")
        sys.stderr.flush()
