#!/usr/bin/env python3
"""Packs the service catalog and the egress prices.

    python3 data/pack.py            # services.json, egress.txt -> dexcost/src/pricing/
    python3 data/pack.py --check    # fails if the packed forms are not what the tables say

Both tables of record are written by hand, one row a line; FORMAT.md describes them. The packed forms hold
the same rows after a line with the version, the first twelve hex digits of the SHA-256 over the table: so
no digest is computed when a program runs. The tests of the crate read every row; this script only sees
to the form. Python's standard library only.
"""

import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PRICING = HERE.parent / "dexcost" / "src" / "pricing"
FIRST = ("hosts", "service", "category")


def version(raw):
    return hashlib.sha256(raw).hexdigest()[:12]


def services():
    """Rows as JSON, one a line, hosts first; before them date and version."""
    raw = (HERE / "services.json").read_bytes()
    document = json.loads(raw)
    lines = [line.rstrip(",") for line in raw.decode().splitlines()[1:-1]]
    if [json.loads(line) for line in lines] != document["rows"]:
        sys.exit("pack.py: every service row is a line of its own, between the first and the last")
    for line, row in zip(lines, document["rows"]):
        if tuple(row)[:3] != FIRST or not line.startswith('{"hosts":"'):
            sys.exit(f"pack.py: a service row starts with {', '.join(FIRST)}, without blanks: {line[:80]}")
    head = {"format": document["format"], "as_of": document["as_of"], "version": version(raw)}
    print(f"{len(lines)} service rows, {len({row['service'] for row in document['rows']})} services, "
          f"version {head['version']}")
    return "\n".join([json.dumps(head, separators=(",", ":")), *lines]) + "\n"


def egress():
    """The rows as they are; before them the version."""
    raw = (HERE / "egress.txt").read_bytes()
    lines = [line for line in raw.decode().splitlines() if line and not line.startswith("#")]
    for line in lines:
        if line.count("\t") != 7:
            sys.exit(f"pack.py: an egress row has eight fields: {line[:80]}")
    print(f"{len(lines)} egress rows, version {version(raw)}")
    return "\n".join([version(raw), *lines]) + "\n"


def main():
    for path, packed in ((PRICING / "services" / "bundled.jsonl", services()),
                         (PRICING / "egress" / "bundled.tsv", egress())):
        if "--check" not in sys.argv[1:]:
            path.write_bytes(packed.encode())
        elif path.read_bytes() != packed.encode():
            sys.exit(f"pack.py: {path} is not what the table says: run data/pack.py")


if __name__ == "__main__":
    main()
