"""The JSON of diploma audits: values for programs, sentences for people."""

from typing import Annotated, Any

from pydantic import Field

from api.decision_messages import FACTS_MAX, KnownFacts, Moment
from api.written import Message
from creditbank.conversion.completion import RequirementState, State
from creditbank.conversion.holding import Applicant
from creditbank.locale.audit_wording import audit_lines
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.naming import names_of
from creditbank.services.diploma_audits import AuditAnswer

DeclaredFact = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*=.", max_length=200)]


class AuditAsked(KnownFacts, Moment):
    """Facts about the learner, and by what is audited: as parameters of the address.

    A fact that a rule pack declares is one `fact=name=value`.
    """

    fact: Annotated[tuple[DeclaredFact, ...], Field(max_length=FACTS_MAX)] = ()

    def stated(self) -> Applicant:
        """Return the learner.

        Raises:
            HoldingInvalid: a percentage is none, years of work are below 0, or a fact is stated twice.
        """
        stated = (one.partition("=") for one in self.fact)
        return self.beside((name, value) for name, _, value in stated)


class ExamsAsked(AuditAsked):
    """The same; `only` is the id of one outcome, a diploma for instance, that alone is to count."""

    only: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None


class PlaceMessage(Message):
    """One course or bucket; `blocks` are sentences about what keeps it from being exempted."""

    id: str
    state: State
    line: str
    blocks: tuple[str, ...]


class ModuleMessage(Message):
    title: str
    line: str
    places: tuple[PlaceMessage, ...]


class RequirementMessage(Message):
    """One thing that completion takes besides the courses; `details` say by what it is reached, or can be."""

    title: str
    state: RequirementState
    line: str
    details: tuple[str, ...]


class DiplomaAuditMessage(Message):
    """The audit whole, and the same in sentences of the reader's language.

    `unpublished` are the rule packs it goes by that the ledger did not hold then; `warnings` what was
    odd about the facts stated.
    """

    audit: dict[str, Any]
    complete: bool
    headline: str
    total: str
    notes: tuple[str, ...]
    modules: tuple[ModuleMessage, ...]
    elsewhere: tuple[str, ...]
    caps: tuple[str, ...]
    next_step: str | None
    nowhere: tuple[str, ...]
    worths: tuple[str, ...] = ()
    requirements: tuple[RequirementMessage, ...] = ()
    unpublished: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: AuditAnswer, words: Catalogue) -> "DiplomaAuditMessage":
        names = names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
        said = audit_lines(words, answer.audit, names)
        return cls(
            audit=answer.audit.as_json(),
            complete=answer.audit.is_complete,
            headline=said.headline,
            total=said.total,
            notes=said.notes,
            modules=tuple(
                ModuleMessage(
                    title=module.title,
                    line=module.line,
                    places=tuple(
                        PlaceMessage(id=one.id, state=one.state, line=one.line, blocks=one.blocks)
                        for one in module.places
                    ),
                )
                for module in said.modules
            ),
            elsewhere=said.elsewhere,
            caps=said.caps,
            next_step=said.next_step,
            nowhere=said.nowhere,
            worths=said.worths,
            requirements=tuple(
                RequirementMessage(title=one.title, state=one.state, line=one.line, details=one.details)
                for one in said.requirements
            ),
            unpublished=answer.unpublished,
            warnings=tuple(map(words.warning, answer.warnings)),
        )
