"""A process that writes until it is killed: run as `python -m tests.contract.writer URL`.

It prints `kept N` once its N-th entry is committed, and `open` inside the transaction that its argument
`--stop-after N` leaves open.
"""

import argparse
import time
from itertools import count

from creditbank.ledger.chain import EMPTY, head_after
from creditbank.storage.sql_store import SqlStore
from tests.engines import opened
from tests.strategies.books import chain, entry_after, subject

WRITER = subject("writer")


def write(url: str, *, stop_after: int | None) -> None:
    head = EMPTY
    with opened(url) as engine:
        store = SqlStore(engine)
        for kept in count(1):
            with store.writing() as books:
                if kept - 1 == stop_after:
                    books.ledger.append(chain(WRITER, length=300, head=head))
                    books.ledger.sequence()
                    print("open", flush=True)
                    time.sleep(600)
                entry = entry_after(head, of=WRITER)
                books.ledger.append([entry])
                if kept % 3 == 0:
                    books.ledger.sequence()
            head = head_after(entry)
            print(f"kept {kept}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--stop-after", type=int)
    arguments = parser.parse_args()
    write(arguments.url, stop_after=arguments.stop_after)
