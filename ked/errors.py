"""The two ways in which this package refuses: the input is wrong, or something is missing on this machine."""

REPEATED = 60  # characters of input that a message repeats at most


class InvalidInput(ValueError):
    """A value that the caller gave is wrong: one sentence that names it and what is allowed (exit code 2)."""


class Unavailable(RuntimeError):
    """Data, a file or disk space is missing or damaged: one sentence with the way out (exit code 1)."""


def quoted(value: object, most: int = REPEATED) -> str:
    """Input as a message repeats it: in quotes, on one line, at most `most` characters of it."""
    return repr(_ends(str(value), most))


def shortened(value: object, most: int = REPEATED) -> str:
    """The same without the quotes, for what is no text or stands in quotes already."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in _ends(str(value), most))


def _ends(text: str, most: int) -> str:
    """A text without its middle where it is long: both ends tell most, of a path the file's name, of a number its size."""
    tail = (most - 1) // 2
    return text if len(text) <= most else f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"
