"""Which rule packs a ledger says are published, and so which of those at hand a decision goes by.

How the ledger says it is for `services`. A pack that its authority has not published there is at hand all the
same where the authority has published none: its own date of publication is all there is to go by then.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from creditbank.conversion.pack import Pack
from creditbank.errors import Misconfigured
from creditbank.terms import Microseconds, PackId


class PackChanged(Misconfigured):
    """A rule pack at hand is not the one that was published under its id."""

    code = "pack-changed"


class PackMissing(Misconfigured):
    """A rule pack that was published is not at hand."""

    code = "pack-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPublished:
    """One pack as the ledger has it; `digest` is the hex SHA-256 of its canonical JSON."""

    authority: str
    pack: PackId
    digest: str
    published_at: Microseconds
    retired_at: Microseconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the chains of some authorities had said up to some moment, in their order."""

    packs: tuple[PackPublished, ...] = ()
    authorities: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "authorities", frozenset(each.authority for each in self.packs))

    def find(self, pack: PackId) -> PackPublished | None:
        """Return what the ledger says of a pack."""
        return next((each for each in self.packs if each.pack == pack), None)

    def holds(self, pack: PackId, digest: str) -> bool:
        """Whether exactly this pack was published and not retired."""
        found = self.find(pack)
        return found is not None and found.digest == digest and found.retired_at is None

    def counts(self, pack: Pack) -> bool:
        """Whether decisions go by a pack: it is published, or its authority has published none.

        Raises:
            PackChanged: another one was published under its id.
        """
        found = self.find(pack.id)
        if found is not None and found.digest != pack.digest:
            raise PackChanged("pack-changed", pack=pack.id, published=found.digest, found=pack.digest)
        if pack.authority not in self.authorities:
            return True
        return found is not None and found.retired_at is None

    def require_at_hand(self, packs: Collection[Pack]) -> None:
        """Refuse to go on without a pack that was published and not retired.

        Raises:
            PackMissing: one is not among `packs`.
        """
        known = {pack.id for pack in packs}
        for each in self.packs:
            if each.retired_at is None and each.pack not in known:
                raise PackMissing(
                    "pack-missing", pack=each.pack, authority=each.authority, digest=each.digest
                )


NOTHING_PUBLISHED = Published()
