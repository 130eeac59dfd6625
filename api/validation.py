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
        "greater_than": "reason.member-out-of-range",
        "greater_than_equal": "reason.member-out-of-range",
        "less_than": "reason.member-out-of-range",
        "less_than_equal": "reason.member-out-of-range",
        "string_pattern_mismatch": "reason.member-malformed",
        "string_unicode": "reason.member-malformed",
        "timezone_aware": "reason.member-malformed",
    }
)
_FAMILIES = (("_type", "reason.member-wrong-type"), ("_parsing", "reason.member-malformed"))


def members_refused(found: Sequence[Mapping[str, Any]], words: Catalogue) -> list[dict[str, str]]:
    """Return what pydantic found, without its words: for each member where it is, a code and a sentence.

    `pointer` (RFC 6901) leads to a member of the body; `parameter` names one of the path, query or headers.
    `code` is pydantic's, which does not change.
    """
    return [
        {**_place(one), "code": one["type"], "detail": words.text(_sentence(one["type"]))} for one in found
    ]


def _sentence(code: str) -> str:
    if code in _SENTENCES:
        return _SENTENCES[code]
    return next((key for ending, key in _FAMILIES if code.endswith(ending)), "reason.member-invalid")


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
