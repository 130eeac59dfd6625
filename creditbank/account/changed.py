"""A recorded outcome with some members changed, as a clerk says them: `credits=5`, `level=1+X/高级`."""

from collections.abc import Iterable
from dataclasses import fields

from creditbank.account.outcome_body import BodyUnreadable, outcome_members, parse_outcome_members
from creditbank.errors import CreditBankError, InvalidInput
from creditbank.ledger.encoding import JsonValue
from creditbank.outcomes import Outcome
from creditbank.outcomes.outcome import attributes_of


class ChangeInvalid(InvalidInput):
    """A correction does not say what is changed to what."""

    code = "change-invalid"


def changed_outcome(outcome: Outcome, changes: Iterable[str]) -> Outcome:
    """Return the outcome with the members that changes `name=value` name; without a value, without them.

    A level is written framework/level, an attribute, such as what an examiner found, `attributes.name`.

    Raises:
        ChangeInvalid: `change-not-written`, `change-unknown`, `change-not-read`, `change-missing`,
            `change-nothing`.
        OutcomeInvalid: the changed outcome contradicts itself.
    """
    members = outcome_members(outcome)
    known = {member.name for member in fields(outcome)} - {"issuer"}
    given = list(changes)
    if not given:
        raise ChangeInvalid("change-missing", field="set")
    for change in given:
        name, is_written, value = (part.strip() for part in change.partition("="))
        if not is_written:
            raise ChangeInvalid("change-not-written", field="set", value=change)
        if name.partition(".")[0] not in known:
            raise ChangeInvalid("change-unknown", field="set", value=name, known=sorted(known))
        _set(members, name, value)
        try:
            parse_outcome_members(members)
        except BodyUnreadable as error:
            if isinstance(error.__cause__, CreditBankError):
                continue  # another change may mend it
            raise ChangeInvalid("change-not-read", field="set", value=change) from error
    try:
        changed = parse_outcome_members(members)
    except BodyUnreadable as unreadable:
        cause = unreadable.__cause__
        assert isinstance(cause, CreditBankError), "everything else was seen above"
        raise cause from unreadable
    if changed == outcome:
        raise ChangeInvalid("change-nothing", field="set")
    return changed


def _set(members: dict[str, JsonValue], name: str, value: str) -> None:
    owner, _, attribute = name.partition(".")
    if owner == "attributes":
        held = members.get(owner)
        stated = dict(held) if isinstance(held, dict) else {}
        stated.pop(attribute, None)
        if value:
            stated[attribute] = value
        members.pop(owner, None)
        if stated:
            members[owner] = dict(attributes_of((key, str(one)) for key, one in stated.items()))
        return
    members.pop(name, None)
    if value:
        framework, is_level, level = value.rpartition("/")
        members[name] = {"framework": framework, "level": level} if name == "level" and is_level else value
