"""Check what the credit bank hands out, with nothing of the bank's own: written from docs/formats.md alone.

    python verify_receipt.py receipt FILE --key log.vkey [--witness w.vkey] [--payload FILE]
                                          [--checkpoint FILE [--consistency FILE]]
    python verify_receipt.py checkpoint FILE --key log.vkey [--witness w.vkey] [--tiles FROM]
    python verify_receipt.py consistency FILE --older FILE --key log.vkey
    python verify_receipt.py growth FILE --older FILE --key log.vkey --tiles FROM
    python verify_receipt.py leaf FILE
    python verify_receipt.py key FILE

A FILE may be a path or a URL; FROM is a folder that holds `tile/`, or the bank's URL. Prints what is proved
as JSON and exits with 0, or why nothing is, and exits with 1. Needs Python 3.11 and `cryptography`.
"""

import argparse
import base64
import binascii
import json
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG_KEY, WITNESS_KEY = b"\x01", b"\x04"
TILE = 256


class Refused(Exception):
    """What was given does not prove what it should."""


@dataclass(frozen=True)
class Key:
    """A public key, and the name and id under which it signs."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey


@dataclass(frozen=True)
class Checkpoint:
    """How many entries a log has, and their root."""

    origin: str
    size: int
    root: bytes


# Bytes and text.


def refuse(why: str) -> NoReturn:
    raise Refused(why)


def fetch(source: str) -> bytes:
    """Return the content of a file or a URL."""
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=30) as answer:
                content: bytes = answer.read()
                return content
        return Path(source).read_bytes()
    except OSError as error:
        refuse(f"{source} cannot be read: {error}")


def unbase64(text: str) -> bytes:
    """Read the one base64 text that some bytes have."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        refuse("not base64")
    return data if base64.b64encode(data).decode() == text else refuse("not the one base64 of its bytes")


def decimal(text: str, *, limit: int) -> int:
    """Read an ASCII decimal without leading zeros."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or (text[0] == "0" and text != "0"):
        refuse(f"not a decimal number: {text[:30]!r}")
    number = int(text)
    return number if number < limit else refuse("too large a number")


def canonical(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a value from its canonical JSON."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs) or not all(key.isascii() for key, _ in pairs):
            refuse("a key is there twice, or is not ASCII")
        return dict(pairs)

    def whole(text: str) -> int:
        number = int(text) if len(text) < 18 else 2**53
        return number if -(2**53) < number < 2**53 else refuse("too large a number")

    def never(text: str) -> NoReturn:
        refuse(f"{text} is no whole number")

    try:
        value = json.loads(
            data.decode(), object_pairs_hook=once, parse_int=whole, parse_float=never, parse_constant=never
        )
        again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        refuse("not JSON")
    return value if again == data else refuse("not canonical JSON")


# Keys, notes, checkpoints.


def read_key(text: str, kind: bytes) -> Key:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if not name or any(char.isspace() or ord(char) < 32 for char in name):
        refuse("a key without a name, or with white space in it")
    material = unbase64(encoded)
    if material[:1] != kind or len(material) != 33:
        refuse("not a key of the kind that is wanted")
    if sha256(name.encode() + b"\n" + material).digest()[:4].hex() != key_id:
        refuse("the key's id is not its own")
    return Key(name, bytes.fromhex(key_id), Ed25519PublicKey.from_public_bytes(material[1:]))


def read_keys(source: str | None, kind: bytes) -> list[Key]:
    if source is None:
        return []
    lines = [line for line in fetch(source).decode().splitlines() if line and not line.startswith("#")]
    return [read_key(line, kind) for line in lines]


def has_signed(key: Key, text: bytes, signature: bytes) -> bool:
    try:
        key.public.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def read_note(data: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """Return a signed note's text, and the name, key id and signature of each line under it."""
    if len(data) > 131_072:
        refuse("too long for a note")
    if any(char < 32 and char != 10 for char in data):
        refuse("a control character in a note")
    body, blank, under = data.rpartition(b"\n\n")
    if not blank or not under.endswith(b"\n"):
        refuse("not a signed note")
    lines = []
    for line in under.decode()[:-1].split("\n"):
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\u2014":
            refuse("not a signature line")
        name, signed = words[1], unbase64(words[2])
        if not name or "+" in name or any(char.isspace() for char in name) or len(signed) < 5:
            refuse("not a signature line")
        lines.append((name, signed[:4], signed[4:]))
    return body + b"\n", lines


def read_checkpoint(text: bytes) -> Checkpoint:
    lines = text.decode().split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        refuse("not a checkpoint of three lines")
    root = unbase64(lines[2])
    if len(root) != 32:
        refuse("not a root")
    return Checkpoint(lines[0], decimal(lines[1], limit=2**63), root)


def open_checkpoint(data: bytes, keys: Sequence[Key]) -> Checkpoint:
    """Return what a checkpoint states, once the log's signature is verified."""
    text, lines = read_note(data)
    checkpoint = read_checkpoint(text)
    known = {(key.name, key.key_id): key for key in keys if key.name == checkpoint.origin}
    ours = [(known[name, key_id], signature) for name, key_id, signature in lines if (name, key_id) in known]
    if not ours:
        refuse("no known key of the log has signed the checkpoint")
    if not all(has_signed(key, text, signature) for key, signature in ours):
        refuse("the log's signature does not verify")
    return checkpoint


def witnesses_of(data: bytes, witnesses: Sequence[Key]) -> list[dict[str, object]]:
    """Return which witnesses have cosigned a checkpoint, and when."""
    body, lines = read_note(data)
    known = {(key.name, key.key_id): key for key in witnesses}
    found: list[dict[str, object]] = []
    for name, key_id, signature in lines:
        if (name, key_id) not in known:
            continue
        time = int.from_bytes(signature[:8], "big")
        text = f"cosignature/v1\ntime {time}\n".encode() + body
        if len(signature) != 72 or time >= 2**63 or not has_signed(known[name, key_id], text, signature[8:]):
            refuse(f"the cosignature of {name} does not verify")
        found.append({"name": name, "cosigned_at": time})
    return found


# The tree.


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_over(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, one by one."""
    if not hashes:
        return sha256(b"").digest()
    stack: list[tuple[int, bytes]] = []
    for leaf in hashes:
        height, made = 0, leaf
        while stack and stack[-1][0] == height:
            height, made = height + 1, node(stack.pop()[1], made)
        stack.append((height, made))
    _, root = stack.pop()
    while stack:
        root = node(stack.pop()[1], root)
    return root


def path_leads(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    if index >= size:
        return False
    place, last, made = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if place % 2 or place == last:
            made = node(beside, made)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            made = node(made, beside)
        place, last = place // 2, last // 2
    return last == 0 and made == root


def grew(older: Checkpoint, newer: Checkpoint, hashes: Sequence[bytes]) -> bool:
    if older.size > newer.size:
        return False
    if older.size == newer.size:
        return not hashes and older.root == newer.root
    if older.size == 0:
        return not hashes and older.root == sha256(b"").digest()
    place, last = older.size - 1, newer.size - 1
    while place % 2:
        place, last = place // 2, last // 2
    queue = list(hashes) if place else [older.root, *hashes]
    if not queue:
        return False
    old = new = queue[0]
    for beside in queue[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            old, new = node(beside, old), node(beside, new)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            new = node(new, beside)
        place, last = place // 2, last // 2
    return last == 0 and old == older.root and new == newer.root


def leaf_hashes_from(source: str, size: int) -> list[bytes]:
    """Fetch the tiles of level 0 that a log of this size has."""
    hashes: list[bytes] = []
    for index in range(-(-size // TILE)):
        width = min(TILE, size - TILE * index)
        groups = [f"{index % 1000:03}"]
        rest = index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        partial = "" if width == TILE else f".p/{width}"
        row = fetch(f"{source}/tile/0/{'/'.join(groups)}{partial}")
        if len(row) != 32 * width:
            refuse("a tile of another length")
        hashes += [row[32 * place : 32 * place + 32] for place in range(width)]
    return hashes


# Entries.


def read_leaf(data: bytes) -> dict[str, Any]:
    if len(data) > 65_535:
        refuse("too long for a leaf")
    leaf = canonical(data)
    types = {"at": int, "content": str, "issuer": str, "kind": str, "log": str, "prev": str, "seq": int}
    types |= {"subject": str, "v": int}
    if not isinstance(leaf, dict) or leaf.keys() - {"credential"} != types.keys():
        refuse("not the members of a leaf")
    if any(type(leaf[name]) is not kind for name, kind in types.items()) or leaf["v"] != 1:
        refuse("a member of the leaf is of the wrong type or version")
    if leaf["at"] < 0 or leaf["seq"] < 0:
        refuse("a negative number in the leaf")
    for digest in (leaf["content"], leaf["prev"], leaf.get("credential", leaf["prev"])):
        if type(digest) is not str or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            refuse("not a hash in the leaf")
    return leaf


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def read_receipt(data: bytes) -> tuple[bytes, int, list[bytes], bytes]:
    """Return the leaf, its place, the path and the checkpoint of a receipt."""
    head, blank, note = data.partition(b"\n\n")
    if len(data) > 262_144 or not blank:
        refuse("not a receipt")
    lines = head.decode().split("\n")
    if len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1":
        refuse("not a receipt")
    if not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        refuse("a receipt without its leaf or its place")
    path = [unbase64(line) for line in lines[3:]]
    if any(len(each) != 32 for each in path):
        refuse("not a hash in the path")
    return unbase64(lines[1][6:]), decimal(lines[2][6:], limit=2**63), path, note


def read_consistency(data: bytes) -> tuple[int, list[bytes], bytes]:
    """Return the earlier size, the hashes and the later checkpoint of a consistency proof."""
    head, blank, note = data.partition(b"\n\n")
    lines = head.decode().split("\n")
    if not blank or not lines[0].startswith("old "):
        refuse("not a consistency proof")
    hashes = [unbase64(line) for line in lines[1:]]
    if len(hashes) > 63 or any(len(each) != 32 for each in hashes):
        refuse("not the hashes of a consistency proof")
    return decimal(lines[0][4:], limit=2**63), hashes, note


# What can be asked.


def stated(checkpoint: Checkpoint) -> dict[str, object]:
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}


def check_receipt(asked: argparse.Namespace) -> dict[str, object]:
    keys = read_keys(asked.key, LOG_KEY)
    leaf_bytes, index, path, note = read_receipt(fetch(asked.file))
    checkpoint = open_checkpoint(note, keys)
    witnesses = witnesses_of(note, read_keys(asked.witness, WITNESS_KEY))
    leaf = read_leaf(leaf_bytes)
    if leaf["log"] != checkpoint.origin:
        refuse("the leaf is of another log")
    if not path_leads(leaf_hash(leaf_bytes), index, checkpoint.size, path, checkpoint.root):
        refuse("the path does not lead to the root")
    proved = {**stated(checkpoint), **leaf, "log_index": index, "witnesses": witnesses}
    if asked.payload is not None:
        content = fetch(asked.payload)
        if len(content) <= 32 or sha256(content).hexdigest() != leaf["content"]:
            refuse("that is not what the entry says")
        proved |= {"commitment": leaf["content"], "says": canonical(content[32:])}
    if asked.checkpoint is not None:
        compare(checkpoint, open_checkpoint(fetch(asked.checkpoint), keys), asked.consistency, keys)
    return proved


def compare(one: Checkpoint, other: Checkpoint, consistency: str | None, keys: Sequence[Key]) -> None:
    """Refuse two checkpoints unless they are shown to be of one log."""
    older, newer = sorted((one, other), key=lambda each: each.size)
    hashes: list[bytes] = []
    if consistency is not None:
        old_size, hashes, note = read_consistency(fetch(consistency))
        if old_size != older.size or open_checkpoint(note, keys) != newer:
            refuse("a proof between other checkpoints")
    if one.origin != other.origin or not grew(older, newer, hashes):
        refuse("the two checkpoints are not shown to be of one log")


def check_checkpoint(asked: argparse.Namespace) -> dict[str, object]:
    data = fetch(asked.file)
    checkpoint = open_checkpoint(data, read_keys(asked.key, LOG_KEY))
    witnesses = witnesses_of(data, read_keys(asked.witness, WITNESS_KEY))
    if (
        asked.tiles is not None
        and root_over(leaf_hashes_from(asked.tiles, checkpoint.size)) != checkpoint.root
    ):
        refuse("the tiles have another root")
    return {**stated(checkpoint), "witnesses": witnesses}


def check_consistency(asked: argparse.Namespace) -> dict[str, object]:
    keys = read_keys(asked.key, LOG_KEY)
    older = open_checkpoint(fetch(asked.older), keys)
    newer = open_checkpoint(read_consistency(fetch(asked.file))[2], keys)
    compare(older, newer, asked.file, keys)
    return {"older": stated(older), "newer": stated(newer)}


def check_growth(asked: argparse.Namespace) -> dict[str, object]:
    keys = read_keys(asked.key, LOG_KEY)
    older, newer = (open_checkpoint(fetch(source), keys) for source in (asked.older, asked.file))
    hashes = leaf_hashes_from(asked.tiles, newer.size)
    is_prefix = older.origin == newer.origin and older.size <= newer.size
    if not is_prefix or (root_over(hashes[: older.size]), root_over(hashes)) != (older.root, newer.root):
        refuse("the one log did not grow into the other")
    return {"older": stated(older), "newer": stated(newer)}


def check_leaf(asked: argparse.Namespace) -> dict[str, object]:
    data = fetch(asked.file)
    return {**read_leaf(data), "leaf_hash": leaf_hash(data).hex()}


def check_key(asked: argparse.Namespace) -> dict[str, object]:
    text = fetch(asked.file).decode().removesuffix("\n")
    key = read_key(text, LOG_KEY)
    return {"name": key.name, "key_id": key.key_id.hex()}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, check, options in (
        ("receipt", check_receipt, "--key! --witness --payload --checkpoint --consistency"),
        ("checkpoint", check_checkpoint, "--key! --witness --tiles"),
        ("consistency", check_consistency, "--key! --older!"),
        ("growth", check_growth, "--key! --older! --tiles!"),
        ("leaf", check_leaf, ""),
        ("key", check_key, ""),
    ):
        command = commands.add_parser(name)
        command.set_defaults(check=check)
        command.add_argument("file")
        for option in options.split():
            command.add_argument(option.rstrip("!"), required=option.endswith("!"))
    return parser


def main() -> int:
    asked = arguments().parse_args()
    try:
        print(json.dumps(asked.check(asked), ensure_ascii=False, indent=2))
    except (Refused, UnicodeDecodeError) as why:
        print(f"not proved: {why}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
