"""How a share is written, in every sentence and table."""


def in_percent(share: float, digits: int = 0) -> str:
    """A share, 0 to 1, as a number of per cent.

    >>> in_percent(0.896, 1)
    '89.6 %'
    """
    return f"{100 * share:.{digits}f} %"
