"""The reader's language: Chinese first, English for those who ask for it (RFC 9110, section 12.5.4)."""

from fastapi import Request

from creditbank.locale.catalogue import Catalogue, catalogue
from creditbank.settings import Language


def language_for(request: Request) -> Language:
    """Return English where the reader prefers it to Chinese, else Chinese."""
    weights = {"zh": 0.0, "en": 0.0}
    for choice in request.headers.get("accept-language", "").split(","):
        tag, _, quality = choice.partition(";q=")
        primary = tag.strip().lower().partition("-")[0]
        if primary in weights:
            weights[primary] = max(weights[primary], _weight(quality))
    return "en" if weights["en"] > weights["zh"] else "zh-CN"


def words_for(request: Request) -> Catalogue:
    """Return the catalogue of the reader's language."""
    return catalogue(language_for(request))


def _weight(quality: str) -> float:
    try:
        return float(quality) if quality else 1.0
    except ValueError:
        return 0.0
