"""What is wrong with the members of a request, as codes and sentences that repeat none of its values.

Values may be a person's name or number, and so may the name of a member that is not ours: it is repeated
only where it is plain ASCII without digits, as a slip in one of our own names would be.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from creditbank.locale.catalogue import Catalogue
from creditbank.outcomes.outcome import OUTCOME_KINDS

BAD_JSON = "json_invalid"

_UNKNOWN_MEMBER = "extra_forbidden"
_REPEATABLE = re.compile(r"[ -/:-~]{1,64}")
_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "reason.member-missing",
        _UNKNOWN_MEMBER: "reason.member-unknown",
        "union_tag_invalid": "reason.member-kind-unknown",
        "union_tag_not_found": "reason.member-kind-unknown",
        "literal_error": "reason.member-kind-unknown",
        "string_too_long": "reason.member-too-long",
        "too_long": "reason.member-too-long",
        "string_too_short": "reason.member-empty",
        "string_pattern_mismatch": "reason.member-malformed",
        "string_unicode": "reason.member-malformed",
        "timezone_aware": "reason.member-malformed",
        "date_from_datetime_parsing": "reason.member-no-such-day",
        "date_parsing": "reason.member-no-such-day",
    }
)
_BOUNDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "greater_than": ("gt", "reason.member-not-above"),
        "greater_than_equal": ("ge", "reason.member-below"),
        "less_than": ("lt", "reason.member-not-under"),
        "less_than_equal": ("le", "reason.member-beyond"),
    }
)
"""What pydantic says of a figure or a day out of its range, under which name it tells the bound."""
_FAMILIES = (("_type", "reason.member-wrong-type"), ("_parsing", "reason.member-malformed"))


def members_refused(found: Sequence[Mapping[str, Any]], words: Catalogue) -> list[dict[str, str]]:
    """Return what pydantic found, without its words: for each member where it is, a code and a sentence.

    `pointer` (RFC 6901) leads to a member of the body; `parameter` names one of the path, query or headers.
    `code` is pydantic's, which does not change.
    """
    return [{**_place(one), "code": one["type"], "detail": _sentence(one, words)} for one in found]


def body_refused(found: Sequence[Mapping[str, Any]], body: object) -> str | None:
    """Return the code of what is wrong with a body as a whole, None where it is its members alone.

    FastAPI hands on a body's bytes as they are where they are not declared as JSON.
    """
    of_body = [one["type"] for one in found if tuple(one["loc"]) == ("body",)]
    if any(one["type"] == BAD_JSON for one in found):
        return "json-malformed"
    if not of_body:
        return None
    if "missing" in of_body:
        return "body-missing"
    return "body-not-declared-json" if isinstance(body, bytes) else "body-not-object"


def _sentence(one: Mapping[str, Any], words: Catalogue) -> str:
    code = one["type"]
    if code in _BOUNDS:
        name, key = _BOUNDS[code]
        return words.text(key, limit=one["ctx"][name])
    if code in _SENTENCES:
        return words.text(_SENTENCES[code])
    key = next((key for ending, key in _FAMILIES if code.endswith(ending)), "reason.member-invalid")
    return words.text(key)


def _place(one: Mapping[str, Any]) -> Mapping[str, str]:
    source, *path = map(str, one["loc"])
    if source != "body":
        return {"parameter": "/".join(path)}
    if path[:1] == ["outcome"] and path[1:2] and path[1] in OUTCOME_KINDS:
        del path[1]  # pydantic goes through the kind, the document does not
    if one["type"].startswith("union_tag"):
        path.append("kind")
    if one["type"] == _UNKNOWN_MEMBER and not _REPEATABLE.fullmatch(path[-1]):
        del path[-1]
    return {"pointer": "".join(f"/{_escaped(step)}" for step in path)}


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
