"""What was found in a rule pack, in words."""

from creditbank.conversion.pack import PackFinding
from creditbank.locale.catalogue import Catalogue
from creditbank.terms import Wording


def finding_line(words: Catalogue, finding: PackFinding) -> str:
    """Return one finding with the place where it stands, once."""
    if finding.severity == "error":
        key = f"reason.{finding.code}"
        stated = {"where": finding.where, "field": finding.place, **finding.values}
        said = words.text(key, **stated)
        # What a value says of itself, wherever it comes from, does not speak of files.
        told = words.values_of(key)
        is_placed = "where" in told or ("file" in told and (finding.line is None or "line" in told))
        return said if is_placed or not finding.where else f"{finding.where}: {said}"
    said = words.text(f"warning.{finding.code}", **finding.values)
    return f"{finding.where}: {finding.place}: {said}"


def shown(words: Catalogue, wording: Wording) -> str:
    """Return what a pack says in the reader's language, in Chinese where it says nothing else."""
    return words.wording(wording)
