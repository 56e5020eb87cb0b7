"""The two ways in which this package refuses: the input is wrong, or something is missing on this machine."""

REPEATED = 60  # characters of input that a message repeats at most


class InvalidInput(ValueError):
    """A value that the caller gave is wrong: one sentence that names it and what is allowed (exit code 2)."""


class Unavailable(RuntimeError):
    """Data, a file or disk space is missing or damaged: one sentence with the way out (exit code 1)."""


def quoted(value: object, most: int = REPEATED) -> str:
    """Input as a message repeats it: in quotes, on one line, and without its middle where it is long."""
    return f"'{shortened(value, most)}'"


def shortened(value: object, most: int = REPEATED) -> str:
    """The same without the quotes, for what is no text or stands in quotes already.

    Signs that cannot be seen become spaces: line breaks, control codes, and marks that turn the direction of writing.
    """
    text = str(value)
    if len(text) > most:  # both ends tell most: of a path the file's name, of a number its size
        tail = (most - 1) // 2
        text = f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"
    return "".join(sign if sign.isprintable() else " " for sign in text)
