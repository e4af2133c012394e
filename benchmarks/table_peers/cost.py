"""Run a command and print what it cost: one line of JSON after its output.

A process of its own, so small that its memory is not taken for that of the command: Linux counts what the
parent had at the fork.
"""

import json
import os
import subprocess
import sys
import time

start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(child.pid, 0)
figures = {
    "wall": time.perf_counter() - start,
    "cpu": usage.ru_utime + usage.ru_stime,
    "megabytes": usage.ru_maxrss / 1024,
}
print(json.dumps(figures))
sys.exit(os.waitstatus_to_exitcode(status))
