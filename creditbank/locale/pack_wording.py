"""What was found in a rule pack, in words."""

from creditbank.conversion.pack import PackFinding
from creditbank.locale.catalogue import Catalogue
from creditbank.terms import Wording


def finding_line(words: Catalogue, finding: PackFinding) -> str:
    """Return one finding with the place where it stands, once."""
    if finding.severity == "error":
        key = f"reason.{finding.code}"
        stated = {"where": finding.where, "field": finding.called, **finding.values}
        said = words.text(key, **stated)
        # What a value says of itself, wherever it comes from, does not speak of files.
        told = words.values_of(key)
        is_placed = (
            "where" in told or "path" in told or ("file" in told and (finding.line is None or "line" in told))
        )
        return said if is_placed or not finding.where else _at(words, finding.where, said)
    said = words.text(f"warning.{finding.code}", **finding.values)
    return _at(words, finding.where, _at(words, finding.called, said))


def _at(words: Catalogue, place: str, said: str) -> str:
    return words.text("word.pack-place", place=place, said=said)


def marked_line(words: Catalogue, finding: PackFinding) -> str:
    """Return one finding as a list of them has it: it begins with whether it is an error or a warning."""
    key = "word.pack-error" if finding.severity == "error" else "word.pack-warning"
    return words.text(key, said=finding_line(words, finding))


def result_line(words: Catalogue, *, errors: int, warnings: int) -> str:
    """Return what a check of packs comes to."""
    warned = words.text("word.warnings-one" if warnings == 1 else "word.warnings-many", count=warnings)
    if not errors:
        return words.text("word.packs-sound", warnings=warned)
    failed = words.text("word.errors-one" if errors == 1 else "word.errors-many", count=errors)
    return words.text("word.packs-have-errors", errors=failed, warnings=warned)


def shown(words: Catalogue, wording: Wording) -> str:
    """Return what a pack says in the reader's language, in Chinese where it says nothing else."""
    return words.wording(wording)
