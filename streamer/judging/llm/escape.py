"""Ticket text made safe to stand between delimiters."""

import re

# Also what a tokenizer's compatibility normalisation (NFKC, NFKD) turns into "<": the fullwidth
# and the small sign, and "not less than", which comes apart into "<" and a stroke.
_OPENING = re.compile("[<\uff1c\ufe64\u226e]")


def escaped(text: str) -> str:
    """The text without any `<`, so that it can open or close no tag.

    As in XML, `&` becomes `&amp;` and `<` becomes `&lt;`: what a ticket says can still be read, and
    a ticket that says `&lt;` itself is told apart. Half a surrogate pair, which can't be tokenised
    and which a decoder hook may let through, becomes a question mark.
    """
    whole = text.encode("utf-8", "replace").decode()
    return _OPENING.sub("&lt;", whole.replace("&", "&amp;"))
