"""`creditbank rules diff`: what differs between two sets of rule packs, and who gains and who loses by it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, cast

import typer

from creditbank.account.facts import facts_of
from creditbank.cli.asking import QuestionInvalid, with_facts
from creditbank.cli.cohort_file import numbers_in
from creditbank.cli.files import require_no_directory
from creditbank.cli.output import console, print_json, print_warnings, progress
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.conversion.decision import decimal_text
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR
from creditbank.conversion.policy_diff import Compared, Measure, RuleTotals, Shift, Total, name_of
from creditbank.documents.rule_pack_diff import Change
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.encoding import JsonValue, canonical_bytes
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.what_if_wording import signed
from creditbank.rulepacks.comparison import Comparison, read_packs
from creditbank.rulepacks.library import Library
from creditbank.services.bank import Bank
from creditbank.services.cohort import everybody
from creditbank.services.policy_diff import Difference, Survey, Terms, explained, survey
from creditbank.terms import Microseconds, instant

_EVERYBODY = "all"
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Who is decided, and in which programmes and exams."""

    numbers: tuple[AccountNumber, ...]
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the change does to a cohort."""

    terms: Terms
    found: Survey
    differences: tuple[Difference, ...]
    by_rule: dict[Measure, RuleTotals]


def diff(
    context: typer.Context,
    old: Annotated[
        str,
        typer.Argument(metavar="旧_OLD", help="规则包文件、目录、编号或摘要 · file, directory, id or digest"),
    ],
    new: Annotated[str, typer.Argument(metavar="新_NEW", help="同上 · the same")],
    cohort: Annotated[
        str | None,
        typer.Option(
            metavar="范围_COHORT",
            help="all 全体，账号文件（每行一个），或专业、考试编号 · all, a file of accounts, a programme",
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="按哪一天，默认今天或新规则生效之日 · as of [today, or when NEW applies]",
        ),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            metavar="名称=值_NAME=VALUE", help="假定人人如此，如 cohort=2026 · supposed of everybody"
        ),
    ] = None,
    registered: Annotated[
        bool, typer.Option("--registered", help="已登记的免修、免试不变 · what is registered stays")
    ] = False,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="进程数，默认全部核心 · processes [every core]")
    ] = os.cpu_count() or 1,
    limit: Annotated[int, typer.Option(min=0, help="列出多少人 · how many learners are listed")] = 20,
    as_json: JsonOption = False,
) -> None:
    """比较两套规则：改了什么，谁得谁失、因哪条规则 · what differs, who gains, who loses, by which rule."""
    session = session_of(context)
    library = session.library(check=False)
    compared = Comparison(old=read_packs(old, library), new=read_packs(new, library))
    effect = None
    if cohort is not None:
        bank = session.bank()
        terms = _terms(
            bank,
            compared,
            as_of,
            fact or [],
            registered=registered,
            processes=processes,
            at_hand=library,
        )
        effect = effect_of(session, bank, _cohort(bank, cohort, compared, terms), terms)
    if as_json:
        told = {} if effect is None else effect_members(session.words, effect)
        print_json({**_pack_members(compared), **told})
        return
    words = session.words
    _print_changes(words, compared)
    if effect is not None:
        print_effect(words, effect, limit=limit)


def _terms(
    bank: Bank,
    compared: Comparison,
    as_of: datetime | None,
    facts: Sequence[str],
    *,
    registered: bool,
    processes: int,
    at_hand: Library,
) -> Terms:
    """Judge on the day when everything that changes has taken effect, and as if all of it were published."""
    days = [bank.today(), *(pack.effective_from for pack in compared.changed)]
    published = [bank.now(), *(pack.published_at for pack in compared.changed)]
    return Terms(
        as_of=max(days) if as_of is None else as_of.date(),
        known_at=Microseconds(max(published)),
        facts=facts_of(with_facts(NOBODY_IN_PARTICULAR, facts)),
        keeps_registered=registered,
        processes=processes,
        at_hand=at_hand,
    )


def _cohort(bank: Bank, named: str, compared: Comparison, terms: Terms) -> Cohort:
    """Read who is meant.

    Raises:
        QuestionInvalid: `cohort-unknown`, or `cohort-line` for a line that is not an account number.
        FileUnusable: it is a directory.
    """
    aims = compared.compared(as_of=terms.as_of)
    if named == _EVERYBODY:
        return Cohort(numbers=everybody(bank), compared=aims)
    if Path(named).is_file():
        return Cohort(numbers=numbers_in(Path(named)), compared=aims)
    of_one = tuple(one for one in aims if one.id == named)
    if not of_one:
        require_no_directory(Path(named))
        raise QuestionInvalid("cohort-unknown", field="cohort", value=named, known=[one.id for one in aims])
    return Cohort(numbers=everybody(bank), compared=of_one)


def effect_of(session: Session, bank: Bank, cohort: Cohort, terms: Terms) -> Effect:
    words = session.words
    with progress(words.text("word.diff-deciding"), total=len(cohort.numbers)) as step:
        found = survey(bank, cohort.numbers, cohort.compared, terms, on_progress=step)
    with progress(words.text("word.diff-explaining"), total=len(found.differing)) as step:
        differences = tuple(explained(found, terms, on_progress=step))
    by_rule: dict[Measure, RuleTotals] = {"credits": RuleTotals(), "parts": RuleTotals()}
    for one in differences:
        by_rule[one.measure].count(one.shifts)
    return Effect(terms=terms, found=found, differences=differences, by_rule=by_rule)


def _print_changes(words: Catalogue, compared: Comparison) -> None:
    changes = compared.changes()
    console.print(words.text("word.diff-changes", count=len(changes)), style="bold")
    styles = {"added": "green", "removed": "red", "changed": "yellow", "moved": "yellow"}
    cases = [change for change in changes if _is_in_example(change)]
    for change in changes:
        if change not in cases:
            console.print(f"  {_change_line(words, change)}", style=styles[change.kind])
    if cases:
        console.print(f"  {words.text('word.diff-examples', count=len(cases))}", style="dim")


def _is_in_example(change: Change) -> bool:
    """Whether an example is only written otherwise; one that is added or removed is named."""
    return change.kind == "changed" and "example[" in change.place


def _change_line(words: Catalogue, change: Change) -> str:
    before, after = _shown(change.before), _shown(change.after)
    match change.kind:
        case "added":
            return f"+ {change.place}: {after}"
        case "removed":
            return f"− {change.place}: {before}"
        case "changed":
            return f"~ {change.place}: {before} → {after}"
        case "moved":
            return f"~ {change.place}: {words.text('word.diff-order')}"


def _shown(value: JsonValue) -> str:
    if isinstance(value, dict) and isinstance(say := value.get("say", value.get("title")), dict | str):
        value = say
    if isinstance(value, dict) and isinstance(value.get("zh"), str):
        value = value["zh"]
    text = value if isinstance(value, str) else canonical_bytes(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def print_effect(words: Catalogue, effect: Effect, *, limit: int) -> None:
    console.print(
        words.text("word.diff-cohort", learners=effect.found.learners, as_of=effect.terms.as_of), style="bold"
    )
    print_warnings(words, effect.found.warnings)
    for measure, total in effect.found.totals.items():
        if total.before or total.after:
            console.print(f"  {words.text(f'word.diff-total-{measure}', **_figures(total))}")
            if total.unproved:
                console.print(f"  {words.text('word.diff-unproved', count=total.unproved)}", style="yellow")
    if not effect.differences:
        console.print(words.text("word.diff-nobody"), style="green")
        return
    console.print(words.text("word.diff-by-rule"), style="bold")
    for measure, totals in effect.by_rule.items():
        for (old, new), moved in sorted(totals.totals.items()):
            said = words.text(
                "word.diff-rule",
                pair=_pair(words, old, new),
                change=_amount(words, measure, moved.change),
                count=moved.learners,
            )
            console.print(f"  · {said}")
    console.print(words.text("word.diff-learners"), style="bold")
    for one in effect.differences[:limit]:
        console.print(f"  · {_difference_line(words, one)}", style="green" if one.change > 0 else "red")
    if len(effect.differences) > limit:
        console.print(f"  {words.text('word.diff-more', count=len(effect.differences) - limit)}", style="dim")


def _figures(total: Total) -> dict[str, object]:
    return {
        "before": decimal_text(total.before),
        "after": decimal_text(total.after),
        "change": signed(total.after - total.before),
        "gaining": total.gaining,
        "gained": decimal_text(total.gained),
        "losing": total.losing,
        "lost": decimal_text(total.lost),
    }


def _difference_line(words: Catalogue, one: Difference) -> str:
    said = "；".join(shift_text(words, one.measure, shift) for shift in one.shifts)
    change = _amount(words, one.measure, one.change)
    return (
        f"{one.number}  {one.aim}  {decimal_text(one.before)} → {decimal_text(one.after)}（{change}）  {said}"
    )


def shift_text(words: Catalogue, measure: Measure, shift: Shift) -> str:
    pair = _pair(words, name_of(shift.before), name_of(shift.after))
    return f"{shift.target} {_amount(words, measure, shift.change)} {pair}"


def _pair(words: Catalogue, old: str, new: str) -> str:
    if old == new:
        return old
    nothing = words.text("word.diff-no-rule")
    return f"{old or nothing} → {new or nothing}"


def _amount(words: Catalogue, measure: Measure, change: Decimal) -> str:
    return words.text(f"word.diff-{measure}", change=signed(change))


def _pack_members(compared: Comparison) -> dict[str, JsonValue]:
    def packs(side: Comparison, *, new: bool) -> JsonValue:
        library = side.new if new else side.old
        return [{"id": pack.id, "digest": pack.digest} for pack in library.packs]

    return {
        "old": packs(compared, new=False),
        "new": packs(compared, new=True),
        "changes": [
            {"kind": change.kind, "place": change.place, "before": change.before, "after": change.after}
            for change in compared.changes()
        ],
    }


def effect_members(words: Catalogue, effect: Effect) -> dict[str, JsonValue]:
    return {
        "as_of": effect.terms.as_of.isoformat(),
        "known_at": instant(effect.terms.known_at).isoformat(),
        "learners": effect.found.learners,
        "totals": {
            measure: {**cast("dict[str, JsonValue]", _figures(total)), "unproved": total.unproved}
            for measure, total in effect.found.totals.items()
        },
        "by_rule": [
            {
                "measure": measure,
                "old": old or None,
                "new": new or None,
                "change": decimal_text(total.change),
                "learners": total.learners,
            }
            for measure, totals in effect.by_rule.items()
            for (old, new), total in sorted(totals.totals.items())
        ],
        "differences": [_difference_members(one) for one in effect.differences],
        "warnings": list(map(words.warning, effect.found.warnings)),
    }


def _difference_members(one: Difference) -> JsonValue:
    return {
        "account": str(one.number),
        "aim": one.aim,
        "measure": one.measure,
        "before": decimal_text(one.before),
        "after": decimal_text(one.after),
        "change": decimal_text(one.change),
        "proved": one.proved,
        "shifts": [
            {
                "target": shift.target,
                "old": name_of(shift.before) or None,
                "new": name_of(shift.after) or None,
                "change": decimal_text(shift.change),
            }
            for shift in one.shifts
        ],
    }
