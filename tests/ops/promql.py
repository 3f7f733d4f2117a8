"""Which metrics and labels a PromQL expression names."""

import re

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"\{[^}]*\}")
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"(?<![\w.])[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def metrics(expression: str) -> set[str]:
    """The metrics' names, without what a histogram adds to its own."""
    bare = _RANGE.sub("", _SELECTOR.sub("", _STRING.sub('""', expression)))
    names = _NAME.findall(_GROUPING.sub(" ", bare))
    return {_SUFFIX.sub("", name) for name in names if name.lower() not in _WORDS}


def labels(expression: str) -> set[str]:
    """The labels that are selected by or grouped by."""
    bare = _STRING.sub('""', expression)
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"\"", "".join(_SELECTOR.findall(bare)))
    grouped = [name.strip() for _, inner in _GROUPING.findall(bare) for name in inner.split(",")]
    return {*selected, *grouped} - {""}
