"""How many cases a test tries: a quick choice, or all of them with pytest's --whole."""

IS_WHOLE = False  # conftest.py sets it, before test modules are imported


def cases(quick: int, whole: int) -> int:
    """How many a test tries."""
    return whole if IS_WHOLE else quick
