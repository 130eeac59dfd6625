"""A diploma audit in words: course by course how it stands, by what, and what keeps it from being exempted.

The words for the decision within it are those of `decision_wording`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from creditbank.conversion.completion import Figures, State
from creditbank.conversion.diploma_audit import AuditedPlace, DiplomaAudit, Source
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import NAMELESS, Names
from creditbank.locale.pack_wording import shown
from creditbank.locale.requirement_wording import RequirementWords, requirement_words

BLOCKS_SHOWN = 2
"""How many of the things that stand in the way are spelt out; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceWords:
    """One course or bucket: how it stands in a word, all of it in a sentence, and what stands in the way."""

    id: str
    state: State
    line: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleWords:
    """One module and its courses."""

    title: str
    line: str
    figures: Figures
    places: tuple[PlaceWords, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWords:
    """An audit in words; `notes` says what it does not know."""

    headline: str
    total: str
    notes: tuple[str, ...]
    modules: tuple[ModuleWords, ...]
    elsewhere: tuple[str, ...]
    caps: tuple[str, ...]
    next_step: str | None
    nowhere: tuple[str, ...]
    requirements: tuple[RequirementWords, ...] = ()
    worths: tuple[str, ...] = ()


def audit_lines(words: Catalogue, audit: DiplomaAudit, names: Names = NAMELESS) -> AuditWords:
    """Put an audit into words."""
    return _Speaker(words, audit, names).all()


class _Speaker:
    def __init__(self, words: Catalogue, audit: DiplomaAudit, names: Names) -> None:
        self.words = words
        self.audit = audit
        self.names = names
        self.decision = decision_lines(words, audit.decision, names)

    def all(self) -> AuditWords:
        audit = self.audit
        earning = {
            one for place in audit.places if place.state == "earned" for one in place.sources[0].outcomes
        }
        return AuditWords(
            headline=self.words.text(
                self._headline_key(),
                title=shown(self.words, audit.title),
                day=audit.as_of,
                missing=self.words.credits(audit.total.missing),
                count=sum(one.state != "reached" for one in audit.requirements),
            ),
            total=self._figures(audit.total),
            notes=tuple(self._notes()),
            modules=tuple(
                ModuleWords(
                    title=module.module or self.words.text("word.without-module"),
                    line=self._figures(module.figures),
                    figures=module.figures,
                    places=tuple(self._place(place) for place in module.places),
                )
                for module in audit.modules
            ),
            elsewhere=tuple(
                self.words.text("say.audit-elsewhere", basis=self._basis(source))
                for source in audit.elsewhere
            ),
            requirements=tuple(requirement_words(self.words, one, self.names) for one in audit.requirements),
            caps=self.decision.caps,
            next_step=self.decision.next_step,
            worths=self.decision.worths,
            nowhere=tuple(
                line
                for one, line in zip(audit.decision.nowhere, self.decision.nowhere, strict=True)
                if one.outcome not in earning
            ),
        )

    def _headline_key(self) -> str:
        audit = self.audit
        if audit.is_complete:
            return "say.audit-complete"
        return "say.audit-requirements-left" if audit.are_credits_there else "say.audit-missing-in-all"

    def _notes(self) -> Iterator[str]:
        begins_on = self.names.begins_on
        if begins_on is not None and self.audit.as_of < begins_on:
            yield self.words.text("say.before-first-day", day=self.audit.as_of, first=begins_on)
        if self.audit.school is None:
            yield self.words.text("say.audit-no-school")
        if any(module.is_stated for module in self.audit.modules):
            yield self.words.text("say.audit-stated")

    def _figures(self, figures: Figures) -> str:
        said = [
            self.words.text(
                "say.audit-figures",
                required=self.words.credits(figures.required),
                earned=figures.earned,
                exempted=figures.exempted,
                missing=figures.missing,
            )
        ]
        if figures.exemptable:
            said.append(self.words.text("say.audit-of-it", credits=self.words.credits(figures.exemptable)))
        if figures.surplus:
            said.append(self.words.text("say.audit-surplus", credits=self.words.credits(figures.surplus)))
        return self.words.sentences(said)

    def _place(self, place: AuditedPlace) -> PlaceWords:
        title, credits_ = shown(self.words, place.title), self.words.credits(place.figures.required)
        basis = self.words.clauses(map(self._basis, place.sources))
        basis = self.words.text("say.audit-basis", basis=basis) if basis else ""
        if place.is_bucket:
            line = self.words.text(
                "say.audit-bucket",
                title=title,
                required=credits_,
                exempted=place.figures.exempted,
                exemptable=place.figures.exemptable,
                missing=place.figures.missing,
                basis=basis,
            )
        else:
            line = self.words.text("say.audit-course", title=title, credits=credits_, basis=basis)
        if place.state == "earned" and place.figures.missing:
            short = self.words.credits(place.figures.missing)
            line = self.words.sentences([line, self.words.text("say.audit-short", credits=short)])
        return PlaceWords(id=place.id, state=place.state, line=line, blocks=tuple(self._blocks(place)))

    def _blocks(self, place: AuditedPlace) -> Iterator[str]:
        for block in place.blocks[:BLOCKS_SHOWN]:
            if block.refusal is not None:
                yield self.decision.refusals[block.refusal]
            elif block.why is not None:
                yield self.words.text("say.audit-not-exemptible", reason=shown(self.words, block.why))
            else:
                yield self.words.text(f"say.audit-block-{block.kind}")
        if len(place.blocks) > BLOCKS_SHOWN:
            yield self.words.text("say.audit-more-blocks", count=len(place.blocks) - BLOCKS_SHOWN)

    def _basis(self, source: Source) -> str:
        evidence = self.words.listed(self.names.outcomes.get(one, f"#{one}") for one in source.outcomes)
        if source.rule is None:
            return self.words.text("say.audit-by-outcome", evidence=evidence)
        key = "say.audit-by-grant" if source.exemption is None else "say.audit-by-decision"
        return self.words.text(key, rule=f"{source.rule} v{source.version}", evidence=evidence)
