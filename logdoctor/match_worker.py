"""Matches lines against patterns of the user in a process of its own, which may be stopped at any time.

Python's expressions can take exponential time and cannot be interrupted from inside. This file is run as a script and
imports nothing but the standard library. Protocol: one JSON object a line; ``{"patterns": [...]}`` first, then
``{"lines": [...]}`` again and again, each answered by a list of ``[line index, pattern index, groups]``.
"""

import json
import re
import sys


def main() -> None:
    """Answer until standard input ends."""
    patterns = [re.compile(text) for text in json.loads(sys.stdin.readline())["patterns"]]
    for request in sys.stdin:
        found = []
        for at, line in enumerate(json.loads(request)["lines"]):
            for which, pattern in enumerate(patterns):
                match = pattern.search(line)
                if match:
                    found.append([at, which, match.groupdict()])
                    break
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
