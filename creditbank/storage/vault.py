"""The vault: seals who an account belongs to, and makes the blind indexes by which people are found.

It also seals what requests were answered, since answers speak of people too.

Every account has its own random data key, wrapped by an encryption key; destroying the wrapped key erases
the person. Every field is sealed apart under the data key, with associated data that names the account and
the field, so that a value moved to another account or field does not open. All fields are sealed, absent
ones too, and padded: neither what is missing nor a length tells anything about the learner.

Encryption keys rotate: a new one wraps the data keys of new accounts at once, and those that an older one
wraps are wrapped again. The index key never does, since every blind index rests on it.

The keys come from `signing/`; who may look is decided elsewhere.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

from creditbank.account.records import AccountRecord, KeptAnswer
from creditbank.errors import IntegrityBroken, InvalidInput, Misconfigured
from creditbank.identity.citizen_number import CitizenNumber
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.encoding import JsonValue, canonical_bytes, parse_canonical, sorted_bytes
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import Microseconds, SubjectId

KEY_BYTES = 32
VERSION = 1
_NONCE_BYTES = 12
_PADDED_BITS = 64 * 8
_DATA_KEY = "data-key"
_FIELDS = ("names", "citizen_number", "phone", "category")


class IdentityUnreadable(IntegrityBroken):
    """A sealed identity does not open: it was changed, moved here, or sealed with other keys."""

    code = "identity-unreadable"


class AnswerUnreadable(IntegrityBroken):
    """A kept answer does not open: it was changed, moved to another request, or sealed with other keys."""

    code = "answer-unreadable"


class EncryptionKeyUnusable(Misconfigured):
    """This process has older keys than its database: one was added, or dismissed, since it began."""

    code = "encryption-key-unusable"


class SealedVault:
    """Keeps the promises of the port `Vault` with the keys it is given."""

    def __init__(
        self,
        *,
        encryption_keys: Mapping[str, bytes],
        wraps_with: str,
        index_key: bytes,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        assert wraps_with in encryption_keys, "the key that wraps is one of them"
        assert {len(key) for key in [*encryption_keys.values(), index_key]} == {KEY_BYTES}, "keys of 32 bytes"
        self._wrapping = {key_id: AESGCM(key) for key_id, key in encryption_keys.items()}
        self._wraps_with = wraps_with
        self._index_key = index_key
        self._answers = AESGCM(_mac(index_key, b"creditbank v1 answers"))
        self._random = random

    @property
    def wraps_with(self) -> str:
        """The id of the encryption key that wraps the data keys of new accounts."""
        return self._wraps_with

    def seal(self, subject: SubjectId, person: Person, *, opened_at: Microseconds) -> AccountRecord:
        """Seal a person as the owner of `subject`, under a new data key: no two seals are alike."""
        data_key = self._random(KEY_BYTES)
        cipher = AESGCM(data_key)
        fields: dict[str, JsonValue] = {
            name: b64encode(self._sealed(cipher, _padded(value), _bound(subject, name))).decode()
            for name, value in _fields_of(person).items()
        }
        number = person.citizen_number
        return AccountRecord(
            subject=subject,
            opened_at=opened_at,
            citizen_index=None if number is None else self.citizen_index(number),
            wrapped_key=self._wrapped(subject, data_key),
            identity=sorted_bytes({"v": VERSION, "fields": fields}),
            wrapped_by=self._wraps_with,
        )

    def unseal(self, record: AccountRecord) -> Person:
        """Return the person, exactly as sealed.

        Raises:
            IdentityUnreadable: the identity, the wrapped key or the citizen index is not as it was sealed
                for this account, or other keys sealed it.
            EncryptionKeyUnusable: this vault does not hold the key that wraps the account's.
        """
        cipher = AESGCM(self._data_key_of(record))
        values = {
            name: _unpadded(_opened(cipher, sealed, record.subject, name), record.subject, name)
            for name, sealed in _envelope(record).items()
        }
        person = _person_of(values, subject=record.subject)
        number = person.citizen_number
        if record.citizen_index != (None if number is None else self.citizen_index(number)):
            raise IdentityUnreadable("identity-index-differs", subject=record.subject)
        return person

    def rewrap(self, record: AccountRecord) -> AccountRecord:
        """Return the record with its data key wrapped by the key that wraps new ones; nothing else changes.

        Raises:
            IdentityUnreadable: the wrapped key is not as it was sealed for this account.
            EncryptionKeyUnusable: this vault does not hold the key that wraps it.
        """
        data_key = self._data_key_of(record)
        return replace(
            record, wrapped_key=self._wrapped(record.subject, data_key), wrapped_by=self._wraps_with
        )

    def citizen_index(self, number: CitizenNumber) -> bytes:
        """Return HMAC-SHA-256(index key, normalised number): equal for equal numbers, and no way back."""
        return _mac(self._index_key, number.text.encode())

    def outcome_key(self, *, kind: OutcomeKind, number: str) -> bytes:
        """Return HMAC-SHA-256(index key, canonical `[kind, number]`), which no citizen number's can equal."""
        return _mac(self._index_key, canonical_bytes([kind, number]))

    def request_digest(self, *parts: str) -> bytes:
        """Return HMAC-SHA-256(index key, canonical `["request", parts]`), which no other index can equal."""
        return _mac(self._index_key, canonical_bytes(["request", list(parts)]))

    def seal_answer(self, answer: bytes, *, key: bytes, request: bytes) -> bytes:
        """Seal an answer so that it opens only beside this key and request: no two seals are alike."""
        return self._sealed(self._answers, answer, key + request)

    def unseal_answer(self, kept: KeptAnswer) -> bytes:
        """Return the answer, exactly as sealed.

        Raises:
            AnswerUnreadable: it is not as it was sealed for this key and request, or other keys sealed it.
        """
        nonce, sealed = kept.answer[:_NONCE_BYTES], kept.answer[_NONCE_BYTES:]
        try:
            return self._answers.decrypt(nonce, sealed, kept.key + kept.request)
        except (InvalidTag, ValueError) as error:
            raise AnswerUnreadable("answer-unreadable") from error

    def _wrapped(self, subject: SubjectId, data_key: bytes) -> bytes:
        return self._sealed(self._wrapping[self._wraps_with], data_key, _bound(subject, _DATA_KEY))

    def _data_key_of(self, record: AccountRecord) -> bytes:
        wrapping = self._wrapping.get(record.wrapped_by)
        if wrapping is None:
            raise EncryptionKeyUnusable("encryption-key-unknown", key=record.wrapped_by)
        return _opened(wrapping, record.wrapped_key, record.subject, _DATA_KEY)

    def _sealed(self, cipher: AESGCM, plain: bytes, associated: bytes) -> bytes:
        nonce = self._random(_NONCE_BYTES)
        return nonce + cipher.encrypt(nonce, plain, associated)


class ClosedVault:
    """Keeps the promises of the port `Vault` to a process that may read nobody's identity: it refuses."""

    @property
    def wraps_with(self) -> str:
        raise self._refusal()

    def seal(self, subject: SubjectId, person: Person, *, opened_at: Microseconds) -> AccountRecord:  # noqa: ARG002
        raise self._refusal()

    def unseal(self, record: AccountRecord) -> Person:  # noqa: ARG002
        raise self._refusal()

    def rewrap(self, record: AccountRecord) -> AccountRecord:  # noqa: ARG002
        raise self._refusal()

    def citizen_index(self, number: CitizenNumber) -> bytes:  # noqa: ARG002
        raise self._refusal()

    def outcome_key(self, *, kind: OutcomeKind, number: str) -> bytes:  # noqa: ARG002
        raise self._refusal()

    def request_digest(self, *parts: str) -> bytes:  # noqa: ARG002
        raise self._refusal()

    def seal_answer(self, answer: bytes, *, key: bytes, request: bytes) -> bytes:  # noqa: ARG002
        raise self._refusal()

    def unseal_answer(self, kept: KeptAnswer) -> bytes:  # noqa: ARG002
        raise self._refusal()

    def _refusal(self) -> Misconfigured:
        return Misconfigured("keys-of-the-log-alone")


def _fields_of(person: Person) -> dict[str, JsonValue]:
    names, number = person.names, person.citizen_number
    return {
        "names": {"chinese": names.chinese, "tibetan": names.tibetan, "romanised": names.romanised},
        "citizen_number": None if number is None else number.text,
        "phone": person.phone,
        "category": person.category,
    }


def _person_of(values: dict[str, JsonValue], *, subject: SubjectId) -> Person:
    match values:
        case {
            "names": {
                "chinese": str() | None as chinese,
                "tibetan": str() | None as tibetan,
                "romanised": str() | None as romanised,
            },
            "citizen_number": str() | None as number,
            "phone": str() | None as phone,
            "category": str() | None as category,
        }:
            try:
                return Person(
                    names=PersonNames(chinese=chinese, tibetan=tibetan, romanised=romanised),
                    citizen_number=None if number is None else CitizenNumber(text=number),
                    phone=phone,
                    category=category,
                )
            except InvalidInput as error:
                raise IdentityUnreadable("identity-malformed", subject=subject) from error
    raise IdentityUnreadable("identity-malformed", subject=subject)


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _bound(subject: SubjectId, purpose: str) -> bytes:
    return sorted_bytes({"v": VERSION, "subject": subject, "purpose": purpose})


def _opened(cipher: AESGCM, sealed: bytes, subject: SubjectId, purpose: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(subject, purpose))
    except (InvalidTag, ValueError) as error:
        raise IdentityUnreadable("identity-not-opened", field=purpose, subject=subject) from error


def _envelope(record: AccountRecord) -> dict[str, bytes]:
    try:
        match parse_canonical(record.identity):
            case {"v": 1, "fields": dict() as fields, **others} if not others and fields.keys() == set(
                _FIELDS
            ):
                return {name: _from_base64(fields[name]) for name in _FIELDS}
    except (InvalidInput, ValueError) as error:
        raise IdentityUnreadable("identity-malformed", subject=record.subject) from error
    raise IdentityUnreadable("identity-malformed", subject=record.subject)


def _from_base64(value: JsonValue) -> bytes:
    parsed = b64decode(str(value), validate=True)
    if b64encode(parsed).decode() != value:  # the last character may carry bits that mean nothing
        raise ValueError("not the one way to write these bytes")
    return parsed


def _padded(value: JsonValue) -> bytes:
    padder = PKCS7(_PADDED_BITS).padder()
    return padder.update(sorted_bytes(value)) + padder.finalize()


def _unpadded(padded: bytes, subject: SubjectId, name: str) -> JsonValue:
    unpadder = PKCS7(_PADDED_BITS).unpadder()
    try:
        return parse_canonical(unpadder.update(padded) + unpadder.finalize())
    except (InvalidInput, ValueError) as error:
        raise IdentityUnreadable("identity-malformed", field=name, subject=subject) from error
