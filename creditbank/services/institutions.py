"""Schools, appraisal stations and the bureau: registered once, each with a chain of its own."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from creditbank.errors import Conflict, InvalidInput, NotFound
from creditbank.ledger.encoding import canonical_bytes, parse_canonical
from creditbank.ledger.entry import Entry
from creditbank.services.bank import Bank, EntryReceipt, Posting, Principal, receipt_of
from creditbank.services.books import Books
from creditbank.terms import IssuerId, SubjectId, Wording

InstitutionRole = Literal["school", "appraisal-station", "education-bureau", "evaluation-organisation"]
ROLES: tuple[InstitutionRole, ...] = get_args(InstitutionRole)

_PREFIX = "institution:"
_REGISTERED = "institution.registered"
_NAME_MAX = 200


class InstitutionInvalid(InvalidInput):
    """An institution is not described as it must be."""

    code = "institution-invalid"


class InstitutionUnknown(NotFound):
    """No institution is registered under this code."""

    code = "institution-unknown"


class InstitutionRegistered(Conflict):
    """The institution is registered already."""

    code = "institution-registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """An institution and its public names."""

    issuer: IssuerId
    name: str
    role: InstitutionRole
    tibetan_name: str | None = None
    english_name: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > _NAME_MAX:
            raise InstitutionInvalid("institution-name", field="name", max_length=_NAME_MAX)
        if self.role not in ROLES:
            raise InstitutionInvalid("institution-role", field="role", role=self.role)


def subject_of(issuer: IssuerId) -> SubjectId:
    """Return the subject whose chain tells an institution's story."""
    return SubjectId(_PREFIX + issuer)


def register_institution(bank: Bank, principal: Principal, institution: Institution) -> EntryReceipt:
    """Register an institution, so that outcomes can be recorded in its name.

    Raises:
        NotAuthorised: the principal is not the operator.
        InstitutionRegistered: it is registered already.
    """
    principal.must_be_operator()
    return bank.written(
        lambda books: register_in(bank, books, institution, by=principal.issuer),
        about=subject_of(institution.issuer),
    )


def register_in(bank: Bank, books: Books, institution: Institution, *, by: IssuerId) -> EntryReceipt:
    """Register an institution in a transaction that does more than that.

    Raises:
        InstitutionRegistered: it is registered already.
    """
    subject = subject_of(institution.issuer)
    heads = books.ledger.heads_of([subject])
    if heads[subject].length:
        raise InstitutionRegistered("institution-registered", issuer=institution.issuer)
    posting = Posting(bank, books, heads=heads, at=bank.now())
    entry = posting.add(subject, kind=_REGISTERED, issuer=by, content=_content(institution))
    posting.post()
    return receipt_of(entry)


def institution_of(books: Books, issuer: IssuerId) -> Institution:
    """Return a registered institution.

    Raises:
        InstitutionUnknown: none is registered under this code.
    """
    return _institution(issuer, books.ledger.entry(subject_of(issuer), 0))


def names_of(bank: Bank, books: Books, issuers: Collection[IssuerId]) -> Mapping[IssuerId, str]:
    """Return what registered institutions are called.

    Raises:
        InstitutionUnknown: none is registered under one of the codes.
    """
    known = wordings_of(bank, books, issuers)
    for issuer in issuers:
        if issuer not in known:
            raise InstitutionUnknown("institution-unknown", issuer=issuer)
    return {issuer: known[issuer].zh for issuer in issuers}


def wordings_of(bank: Bank, books: Books, issuers: Collection[IssuerId]) -> Mapping[IssuerId, Wording]:
    """Return what institutions are called in either language, without those that are not registered."""
    new = {subject_of(issuer): issuer for issuer in issuers if issuer not in bank.known_names}
    entries = books.ledger.first_entries(new) if new else {}
    for subject, entry in entries.items():
        found = _institution(new[subject], entry)
        bank.known_names[found.issuer] = Wording(zh=found.name, en=found.english_name or "")
    return {issuer: bank.known_names[issuer] for issuer in issuers if issuer in bank.known_names}


def institutions(books: Books) -> Iterator[Institution]:
    """Yield every registered institution, in order of code."""
    for subject in books.ledger.subjects(_PREFIX):
        yield institution_of(books, IssuerId(subject.removeprefix(_PREFIX)))


def _institution(issuer: IssuerId, registered: Entry | None) -> Institution:
    if registered is None or registered.payload is None:
        raise InstitutionUnknown("institution-unknown", issuer=issuer)
    members = cast("dict[str, Any]", parse_canonical(registered.payload.content))
    return Institution(issuer=issuer, **members)


def _content(institution: Institution) -> bytes:
    members = {
        "name": institution.name,
        "role": institution.role,
        "tibetan_name": institution.tibetan_name,
        "english_name": institution.english_name,
    }
    return canonical_bytes({name: value for name, value in members.items() if value is not None})
