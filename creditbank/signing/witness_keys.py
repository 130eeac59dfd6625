"""Which witnesses this deployment knows: their public keys, from a file that the operator keeps."""

from pathlib import Path

from creditbank.errors import Misconfigured
from creditbank.ledger.checkpoint import VerifierKeyInvalid, key_lines
from creditbank.ledger.cosignature import WitnessKey, parse_witness_key


class WitnessKeysUnusable(Misconfigured):
    """The file with the witnesses' keys cannot be read, or holds something else."""

    code = "witness-keys-unusable"


def read_witness_keys(path: Path) -> tuple[WitnessKey, ...]:
    """Read a file with one verifier key a line; empty lines and those that begin with # are passed over.

    Raises:
        WitnessKeysUnusable: it cannot be read, or a line is no witness's key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except IsADirectoryError as error:
        raise WitnessKeysUnusable("file-is-directory", path=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise WitnessKeysUnusable("witness-keys-unreadable", path=str(path), cause=cause) from error
    keys: list[WitnessKey] = []
    for line in key_lines(text):
        try:
            keys.append(parse_witness_key(line))
        except VerifierKeyInvalid as error:
            raise WitnessKeysUnusable(
                "witness-key-invalid", path=str(path), key=line, cause=error.reason
            ) from error
    return tuple(keys)
