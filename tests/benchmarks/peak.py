"""`python -S tests/benchmarks/peak.py COMMAND…`: run a command; print its most memory, in KB, on stderr.

A process of its own, and a small one: what Linux calls the peak of a process begins with what its parent had
when it started it.
"""

import os
import sys

if __name__ == "__main__":
    child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
    _, status, used = os.wait4(child, 0)
    print(used.ru_maxrss, file=sys.stderr)
    sys.exit(os.waitstatus_to_exitcode(status))
