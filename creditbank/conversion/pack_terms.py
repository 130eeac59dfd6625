"""What a pack asks for in words that no record of the bank uses: levels, ranks, forms, categories.

An outcome is recorded in the words of the vocabularies, and a rule compares exactly what is recorded: a pack
may agree with its own examples and never meet a record. Each finding is a warning, for who asks may state
facts of other lists.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from creditbank.conversion.pack import Pack, PackFinding
from creditbank.conversion.premise import Pattern
from creditbank.conversion.recognition import WorthRow
from creditbank.outcomes.outcome import OutcomeKind, is_attribute_name
from creditbank.outcomes.vocabulary import Vocabulary

Path = tuple[str | int, ...]
Vocabularies = Mapping[str, Vocabulary]

_OF_ATTRIBUTE = {
    "mode": "course-mode",
    "organiser_level": "organiser-level",
    "rank": "award-rank",
    "study_form": "study-form",
}
_MEMBERS = ("level", "score", "grade", "hours", "credits")
STATED: Mapping[OutcomeKind, frozenset[str]] = {
    "diploma": frozenset({"level"}),
    "skill-certificate": frozenset({"level", "score"}),
    "course-credit": frozenset({"score", "grade", "hours", "unit", "credits"}),
    "training": frozenset({"hours"}),
    "award": frozenset(),
    "experience": frozenset({"hours"}),
}
"""What a record of each kind can state, of what a pattern may ask."""
_ASKED_BY: Mapping[str, str] = {
    "awarded_on": "max_age, min_age, awarded_since, awarded_before",
    "code": "codes",
    "credits": "min_credits",
    "grade": "min_grade",
    "hours": "min_hours",
    "issuer": "issuers",
    "kind": "kind",
    "level": "min_level",
    "score": "min_score",
}
"""Members that outcomes have of their own, which no attribute is, and the keys that ask for them."""
_GIVEN_BY: Mapping[str, str] = {
    "credits": "of_stated",
    "hours": "hours_per_credit",
    "hours_per_credit": "hours_by_issuer",
}
"""The same of what a row gives its worth by."""
_OF_FACT = {"category": "person-category", "study_form": "study-form"}


def unlisted_terms(pack: Pack, vocabularies: Vocabularies) -> Iterator[PackFinding]:
    """Yield a warning for whatever the pack asks for that is in none of the vocabularies, with what is.

    `vocabularies` are those that records are held to, by id.
    """
    day = pack.effective_from
    yield from _of_scales(pack, vocabularies)
    yield from _never_stated(pack)
    yield from _misnamed(pack)
    for path, pattern in _patterns(pack):
        yield from _of_pattern(pattern, path, vocabularies, day)
    for index, rule in enumerate(pack.rules):
        for at, test in enumerate(rule.scope.facts):
            path = ("rule", index, "scope", "facts", at, "one_of")
            yield from _of_fact(test.fact, test.one_of, path, vocabularies, day)
    for index, programme in enumerate(pack.programmes):
        for at, course in enumerate(programme.courses):
            path = ("programme", index, "courses", at, "exempt_for")
            yield from _of_fact("category", course.exempt_for, path, vocabularies, day)


def _warning(code: str, path: Path, **values: object) -> PackFinding:
    return PackFinding(code=code, severity="warning", path=path, values=values)


def _patterns(pack: Pack) -> Iterator[tuple[Path, Pattern]]:
    for index, rule in enumerate(pack.rules):
        for at, premise in enumerate(rule.premises):
            yield ("rule", index, "premise", at), premise.pattern
        for at, void in enumerate(rule.void_if):
            yield ("rule", index, "void_if", at), void.pattern
    for index, programme in enumerate(pack.programmes):
        for at, wanted in enumerate(programme.requirements):
            kind: OutcomeKind = min(wanted.kinds) if wanted.kinds else "course-credit"
            yield ("programme", index, "requirements", at), Pattern(kind=kind, attributes=wanted.attributes)
    for index, table in enumerate(pack.tables.values()):
        yield from ((("recognition", index, "rows", at), one.pattern) for at, one in enumerate(table.rows))
        for at, deduction in enumerate(table.deductions):
            yield ("recognition", index, "deductions", at), deduction.pattern
        for at, downgrade in enumerate(table.downgrades):
            yield ("recognition", index, "downgrades", at), downgrade.pattern


def _never_stated(pack: Pack) -> Iterator[PackFinding]:
    """Name what is asked of outcomes of a kind that never state it: nobody would ever meet it."""
    for path, pattern in _patterns(pack):
        asked = {
            "level": bool(pattern.min_levels),
            "score": pattern.min_score is not None,
            "grade": pattern.min_grade is not None,
            "hours": pattern.min_hours is not None,
            "credits": pattern.min_credits is not None,
        }
        for name in _MEMBERS:
            if asked[name] and name not in STATED[pattern.kind]:
                yield _unstated((*path, f"min_{name}"), pattern.kind, name)
    for index, table in enumerate(pack.tables.values()):
        for at, row in enumerate(table.rows):
            path = ("recognition", index, "rows", at)
            key, stated = _gone_by(row)
            if stated is not None and stated not in STATED[row.pattern.kind]:
                yield _unstated((*path, key), row.pattern.kind, stated)
    for index, rule in enumerate(pack.rules):
        for at, premise in enumerate(rule.premises):
            is_budget = premise.use == "draw" and premise.worth is None
            if is_budget and "credits" not in STATED[premise.pattern.kind]:
                yield _unstated(("rule", index, "premise", at, "use"), premise.pattern.kind, "credits")


def _misnamed(pack: Pack) -> Iterator[PackFinding]:
    """Name the attributes that no outcome can have, and those that are members of their own."""
    for path, name, members in _named_attributes(pack):
        if not is_attribute_name(name):
            yield _warning("attribute-malformed", path, attribute=name)
        elif name in members:
            yield _warning("attribute-own-member", path, attribute=name, key=members[name])


def _named_attributes(pack: Pack) -> Iterator[tuple[Path, str, Mapping[str, str]]]:
    """Yield every place that names an attribute, with the keys that are to be used for members."""
    for path, pattern in _patterns(pack):
        of_requirement = {"issuer": "issuers", "kind": "kinds"}
        members = of_requirement if path[0] == "programme" else _ASKED_BY
        for at, test in enumerate(pattern.attributes):
            yield (*path, "attributes", at, "name"), test.attribute, members
    for index, table in enumerate(pack.tables.values()):
        for at, row in enumerate(table.rows):
            if row.of_attribute is not None:
                yield ("recognition", index, "rows", at, "of_attribute"), row.of_attribute, _GIVEN_BY
        for at, one in enumerate(table.downgrades):
            yield ("recognition", index, "downgrades", at, "attribute"), one.attribute, {}
    for index, rule in enumerate(pack.rules):
        pairing = getattr(rule.grant, "pairing", None)
        for key in ("names_course", "names_outcome"):
            if (named := getattr(pairing, key, None)) is not None:
                yield ("rule", index, "grant", "pairing", key), named, {}


def _gone_by(row: WorthRow) -> tuple[str, str | None]:
    """Return the key by which a row gives its worth, and what of an outcome that goes by."""
    if row.of_stated is not None:
        return "of_stated", "credits"
    if row.is_by_issuers_hours:
        return "hours_by_issuer", "unit"
    if row.of_attribute is not None:
        return "of_attribute", None
    return ("credits", None) if row.hours_per_credit is None else ("hours_per_credit", "hours")


def _unstated(path: Path, kind: OutcomeKind, name: str) -> PackFinding:
    known = sorted(one for one, stated in STATED.items() if name in stated)
    return _warning(
        "member-never-stated",
        path,
        kind=kind,
        member="hours_per_credit" if name == "unit" else name,
        known=known,
    )


def _of_scales(pack: Pack, vocabularies: Vocabularies) -> Iterator[PackFinding]:
    """Name the levels that no record can state: of a framework that is listed, or that rank an attribute."""
    ranking = {
        (test.at_least.framework, test.attribute)
        for _, pattern in _patterns(pack)
        for test in pattern.attributes
        if test.at_least is not None
    }
    ranking |= {(one.scale, one.attribute) for table in pack.tables.values() for one in table.downgrades}
    for index, scale in enumerate(pack.scales.values()):
        used = {_OF_ATTRIBUTE.get(attribute) for name, attribute in ranking if name == scale.framework}
        levels = [level for equal in scale.levels for level in equal]
        for vocabulary in vocabularies.values():
            if vocabulary.framework != scale.framework and vocabulary.id not in used:
                continue
            if unlisted := _unlisted(levels, vocabulary, pack.effective_from):
                place, known = ("scale", index, "levels"), _codes(vocabulary)
                yield _warning(
                    "scale-levels-unlisted", place, scale=scale.framework, levels=unlisted, known=known
                )


def _of_pattern(pattern: Pattern, path: Path, vocabularies: Vocabularies, day: date) -> Iterator[PackFinding]:
    frameworks = [one.framework for one in vocabularies.values() if one.framework is not None]
    strange = sorted({one.framework for one in pattern.min_levels} - {*frameworks})
    if strange:
        place = (*path, "min_level")
        yield _warning("framework-unlisted", place, frameworks=strange, known=sorted(frameworks))
    if pattern.kind == "experience":
        forms = vocabularies["experience-form"]
        if unlisted := _unlisted(pattern.codes, forms, day):
            place = (*path, "codes")
            yield _warning("value-unlisted", place, attribute="code", unlisted=unlisted, known=_codes(forms))
    for at, test in enumerate(pattern.attributes):
        if (name := _OF_ATTRIBUTE.get(test.attribute)) is None:
            continue
        if unlisted := _unlisted(test.one_of, vocabularies[name], day):
            place, known = (*path, "attributes", at, "one_of"), _codes(vocabularies[name])
            yield _warning("value-unlisted", place, attribute=test.attribute, unlisted=unlisted, known=known)


def _of_fact(
    fact: str, stated: Iterable[str], path: Path, vocabularies: Vocabularies, day: date
) -> Iterator[PackFinding]:
    name = _OF_FACT.get(fact)
    if name is not None and (unlisted := _unlisted(stated, vocabularies[name], day)):
        known = _codes(vocabularies[name])
        yield _warning("fact-unlisted", path, fact=fact, unlisted=unlisted, known=known)


def _unlisted(stated: Iterable[str], vocabulary: Vocabulary, day: date) -> list[str]:
    """Return what is no code of the vocabulary; where it is the name of a term, with the term's code."""
    codes = {term.code for term in vocabulary.terms}
    found = []
    for value in sorted({*stated} - codes):
        meant = vocabulary.look_up(value, on=day)
        found.append(value if meant is None else f"{value} → {meant.code}")
    return found


def _codes(vocabulary: Vocabulary) -> list[str]:
    return [term.code for term in vocabulary.terms]
