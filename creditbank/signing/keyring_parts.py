"""A keyring in two files: the private halves of the log's own keys apart from everything else.

The main file keeps the public halves, so that whoever opens it can check checkpoints but sign none. The
other holds the log's keys alone, so that whoever opens it can sign checkpoints but read nobody's identity.
"""

from dataclasses import replace

from creditbank.signing.keys import Key, Keyring, KeysUnavailable


def log_part(keyring: Keyring) -> Keyring:
    """Return the log's keys alone."""
    return replace(keyring, keys=tuple(key for key in keyring.keys if _is_of_the_log(key)))


def part_without_log_secrets(keyring: Keyring) -> Keyring:
    """Return every key, the log's without their private halves."""
    return replace(
        keyring,
        keys=tuple(replace(key, secret=None) if _is_of_the_log(key) else key for key in keyring.keys),
    )


def joined(main: Keyring, log: Keyring) -> Keyring:
    """Return the keyring that two parts make.

    A run that was interrupted between the two files left one of them behind: each key is as the file that
    is further on has it.

    Raises:
        KeysUnavailable: they are not parts of one bank's keyring.
    """
    if (main.origin, main.key_check) != (log.origin, log.key_check):
        raise KeysUnavailable("key-files-of-two-banks", origin=main.origin, other=log.origin)
    joined_keys = [_further_on(key, log.find(key.name.purpose, key.name.id)) for key in main.keys]
    names = {key.name for key in main.keys}
    joined_keys += [key for key in log.keys if key.name not in names]
    # What came into force in one file only did so last; what is prepared is still to come.
    lagging = {key.name for key in main.keys if key.is_prepared}
    ordered = sorted(joined_keys, key=lambda key: (key.is_prepared, key.name in lagging))
    return replace(main, keys=tuple(ordered))


def _further_on(key: Key, other: Key | None) -> Key:
    if other is None or key.is_retired:
        return key
    if other.is_retired:
        return other
    return replace(key, secret=key.secret or other.secret, is_prepared=key.is_prepared and other.is_prepared)


def _is_of_the_log(key: Key) -> bool:
    return key.name.purpose == "checkpoint"
