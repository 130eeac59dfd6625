"""`python -m tests.benchmarks.importing DB ROWS_A_FILE FILES`: a school posts one file after another.

Every file is as many learners who have no account yet, with one course each: two entries a row. After each
it prints a line of JSON: how many entries there are, after how many seconds, and one learner's account.
"""

import json
import sys
import time
from hashlib import sha256

from creditbank.services.import_outcomes import Posted, import_outcomes
from creditbank.services.publishing import publish_now
from tests.banks import EAST
from tests.benchmarks.rows import file_rows
from tests.driver.database import Database, closed_after, open_or_make


def main(name: str, rows: int, files: int) -> None:
    started = time.perf_counter()
    with closed_after(open_or_make(Database.named(name))) as bank:
        for file in range(files):
            posted = import_outcomes(
                bank,
                EAST,
                file_rows(file, rows=rows, issuer=EAST.issuer),
                file_digest=sha256(b"%d" % file).digest(),
                write_receipt=lambda batch: batch.number.encode(),
            )
            assert isinstance(posted, Posted), posted
            said = {
                "entries": publish_now(bank).checkpoint.size,
                "seconds": time.perf_counter() - started,
                "account": posted.batch.lines[rows // 2].account.text,
            }
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
