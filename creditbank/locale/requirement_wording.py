"""What completing a programme takes, in words: how far it is reached, by what, and what is left to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from creditbank.conversion.completion import AuditedRequirement, RequiredPlace, RequirementState
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.naming import Names, Naming
from creditbank.locale.pack_wording import shown

PLACES_SHOWN = 12
"""How many courses are named in one sentence; the others are counted."""
_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementWords:
    """One requirement: how it stands in a word, with its figures in a sentence, and place by place."""

    title: str
    state: RequirementState
    line: str
    details: tuple[str, ...]


def requirement_words(words: Catalogue, requirement: AuditedRequirement, names: Names) -> RequirementWords:
    """Put a requirement into words."""
    speaker = _Speaker(words, requirement, names)
    of_years = requirement.measure == "years"
    return RequirementWords(
        title=speaker.title(),
        state=requirement.state,
        line=words.sentences(speaker.years() if of_years else speaker.figures()),
        details=() if of_years else tuple(speaker.details()),
    )


class _Speaker:
    def __init__(self, words: Catalogue, requirement: AuditedRequirement, names: Names) -> None:
        self.words = words
        self.of = requirement
        self.naming = Naming(words=words, names=names)
        self.names = names

    def title(self) -> str:
        if self.of.title is not None:
            return shown(self.words, self.of.title)
        own = self.words.text(f"word.requirement-{self.of.measure}")
        if self.of.module is None:
            return own
        return self.words.text("say.requirement-of-module", module=self.of.module, title=own)

    def years(self) -> Iterator[str]:
        if self.of.state == "unknown":
            yield self.words.text("say.requirement-unknown")
        if self.of.earliest is not None:
            yield self.words.text("say.requirement-earliest", years=self.of.minimum, day=self.of.earliest)
        if self.of.latest is not None:
            yield self.words.text("say.requirement-latest", years=self.of.maximum, day=self.of.latest)
        if self.of.state == "too-late":
            yield self.words.text("say.requirement-too-late")

    def figures(self) -> Iterator[str]:
        figures = self.of.figures
        assert figures is not None, "what sums has figures"
        if self.of.state == "unknown":
            yield self.words.text("say.requirement-no-hours")
            return
        if self.of.hours is not None and self.of.minimum is not None:
            share = f"{self.words.number(self.of.minimum * _PERCENT)}%"
            yield self.words.text("say.requirement-share", share=share, hours=self.of.hours)
        if self.of.share is not None:
            share = f"{self.words.number(self.of.share * _PERCENT)}%"
            required = self._amount(figures.required)
            yield self.words.text("say.requirement-share-of-credits", share=share, required=required)
        yield self.words.text(
            "say.audit-figures",
            required=self._amount(figures.required),
            earned=figures.earned,
            exempted=figures.exempted,
            missing=figures.missing,
        )
        if figures.exemptable:
            exemptable = self._amount(figures.exemptable)
            yield self.words.text("say.audit-of-it", credits=exemptable)
        if figures.surplus:
            yield self.words.text("say.audit-surplus", credits=self._amount(figures.surplus))

    def details(self) -> Iterator[str]:
        if asked := list(self._asked()):
            yield self.words.text("say.requirement-counts-only", asked=self.words.clauses(asked))
        counted = [one for one in self.of.places if one.figures.earned or one.figures.exempted]
        if counted:
            yield self._listed("say.requirement-counted", list(map(self._counted, counted)))
        left = [one for one in self.of.places if one.open]
        if left and self.of.state != "reached":
            yield self._listed("say.requirement-open", list(map(self._open, left)))
        if self.of.beyond:
            yield self.words.text("say.requirement-beyond", amount=self._amount(self.of.beyond))

    def _counted(self, place: RequiredPlace) -> str:
        return self.words.text(
            "say.requirement-counted-place",
            title=shown(self.words, place.title),
            amount=self._amount(place.figures.earned + place.figures.exempted),
            evidence=self.words.listed(self.names.outcomes.get(one, f"#{one}") for one in place.outcomes),
        )

    def _open(self, place: RequiredPlace) -> str:
        key = "say.requirement-exemptable-place" if place.figures.exemptable else "say.requirement-open-place"
        return self.words.text(
            key,
            title=shown(self.words, place.title),
            amount=self._amount(place.open),
            exemptable=place.figures.exemptable,
        )

    def _asked(self) -> Iterator[str]:
        """Yield what outcomes have to be for their credits to count."""
        if self.of.kinds:
            yield " / ".join(self.naming.value("outcome", kind) for kind in self.of.kinds)
        if self.of.issuers:
            issuers = [self.naming.value("issuer", issuer) for issuer in self.of.issuers]
            yield self._asked_of(self.words.field("issuer"), issuers)
        titles = {name: shown(self.words, title) for (_, name), title in self.names.attributes.items()}
        for test in self.of.attributes:
            name = test.attribute
            called = titles.get(name) or self.naming.attribute(name)
            values_ = [titles.get(f"{name}={one}") or self.naming.value(name, one) for one in test.one_of]
            yield self._asked_of(called, values_)

    def _asked_of(self, name: str, values: list[str]) -> str:
        return self.words.text("say.requirement-asks", name=name, values=" / ".join(values))

    def _listed(self, key: str, places: list[str]) -> str:
        said = self.words.text(key, places=self.words.listed(places[:PLACES_SHOWN]))
        left = len(places) - PLACES_SHOWN
        more = [self.words.text("say.requirement-more-places", count=left)] if left > 0 else []
        return self.words.sentences([said, *more])

    def _amount(self, value: Decimal) -> str:
        if self.of.measure == "credits":
            return self.words.credits(value)
        return self.words.text(f"say.requirement-amount-{self.of.measure}", amount=value)
