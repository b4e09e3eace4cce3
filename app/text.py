"""What people may write: names, passwords and posts. Every function returns the text as it is stored.

Text is brought to Unicode's normal form C first, so that the same characters are always the same bytes.
Sources: Unicode Standard Annex #15; NIST SP 800-63B, section 5.1.1 (passwords).
"""

from __future__ import annotations

import unicodedata

from app.problems import invalid

NAME_SHORTEST, NAME_LONGEST = 3, 30
PASSWORD_SHORTEST, PASSWORD_MOST_BYTES = 8, 128
POST_LONGEST = 500


def name(raw: str) -> str:
    """A name: letters, decimal digits, `_` and `-` of any script.

    Raises:
        Problem: 422, field `name`.
    """
    text = unicodedata.normalize("NFC", _readable("name", raw))
    if not NAME_SHORTEST <= len(text) <= NAME_LONGEST:
        raise invalid("name", f"A name has {NAME_SHORTEST} to {NAME_LONGEST} characters.")
    if not all(_in_name(character) for character in text):
        raise invalid("name", "A name has only letters, digits, _ and -.")
    return text


def name_key(raw: str) -> str:
    """What two spellings of one name have in common: `ANNA` and `anna` are the same person."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", raw).casefold())


def password(raw: str) -> bytes:
    """A password as the bytes that are hashed: normal form KC, UTF-8.

    Raises:
        Problem: 422, field `password`.
    """
    text = unicodedata.normalize("NFKC", _readable("password", raw))
    encoded = text.encode()
    if len(text) < PASSWORD_SHORTEST:
        raise invalid("password", f"A password has at least {PASSWORD_SHORTEST} characters.")
    if len(encoded) > PASSWORD_MOST_BYTES:
        raise invalid("password", f"A password has at most {PASSWORD_MOST_BYTES} bytes.")
    return encoded


def post(raw: str) -> str:
    """A post: 1 to 500 characters without control characters; line breaks are kept as `\\n`.

    Raises:
        Problem: 422, field `text`.
    """
    text = unicodedata.normalize("NFC", _readable("text", raw)).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not 1 <= len(text) <= POST_LONGEST:
        raise invalid("text", f"A post has 1 to {POST_LONGEST} characters.")
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in text):
        raise invalid("text", "A post has no control characters.")
    return text


def _readable(field: str, raw: str) -> str:
    if "\x00" in raw:
        raise invalid(field, "The text has a null character.")
    try:
        raw.encode()
    except UnicodeEncodeError as error:
        raise invalid(field, "The text is not valid Unicode.") from error
    return raw


def _in_name(character: str) -> bool:
    category = unicodedata.category(character)
    return character in "_-" or category.startswith("L") or category == "Nd"
