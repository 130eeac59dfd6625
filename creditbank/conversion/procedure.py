"""What is done before a grant is registered: declared in a pack, handed on, and looked at by no decision."""

from dataclasses import dataclass

from creditbank.terms import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a procedure: what is done, and whether a body outside the school does it."""

    id: str
    title: Wording
    is_outside: bool = False
