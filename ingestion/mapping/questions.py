"""What only a person can answer of a file: a question in words, and the lines of YAML that are its answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """A line of the mapping, or an option of the command, and what it makes of a value of the file."""

    line: str
    shown: str


@dataclass(frozen=True)
class Question:
    """Something that has two readings.

    Args:
        key: of the YAML, or `columns.<name>`; empty for an option of the command.
        words: the question.
        answers: the readings, side by side.
        columns: of the feed that it concerns; none for all of them.
        is_open: whether nothing is taken until it is answered; else the first answer is what the YAML says.
    """

    key: str
    words: str
    answers: tuple[Answer, ...]
    columns: tuple[str, ...] = ()
    is_open: bool = False
