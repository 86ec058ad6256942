#!/usr/bin/env python3
"""Packs the service catalog.

    python3 data/services.py            # data/services.json -> dexcost/src/pricing/services/bundled.jsonl
    python3 data/services.py --check    # fails if the packed form is not what the catalog says

`services.json` is the catalog of record, written by hand, one row a line; FORMAT.md describes it. The
packed form holds the same rows, after a line with date and version, the first twelve hex digits of the
SHA-256 over the document: so no digest is computed when a program starts. The tests of the crate read
every row; this script only sees to the form. Python's standard library only.
"""

import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PACKED = HERE.parent / "dexcost" / "src" / "pricing" / "services" / "bundled.jsonl"
FIRST = ("hosts", "service", "category")


def main():
    raw = (HERE / "services.json").read_bytes()
    document = json.loads(raw)
    lines = [line.rstrip(",") for line in raw.decode().splitlines()[1:-1]]
    if [json.loads(line) for line in lines] != document["rows"]:
        sys.exit("services.py: every row is a line of its own, between the first and the last")
    for line, row in zip(lines, document["rows"]):
        if tuple(row)[:3] != FIRST or not line.startswith('{"hosts":"'):
            sys.exit(f"services.py: a row starts with {', '.join(FIRST)}, without blanks: {line[:80]}")
    head = {"format": document["format"], "as_of": document["as_of"],
            "version": hashlib.sha256(raw).hexdigest()[:12]}
    packed = "\n".join([json.dumps(head, separators=(",", ":")), *lines]) + "\n"
    if "--check" in sys.argv[1:]:
        if PACKED.read_bytes() != packed.encode():
            sys.exit(f"services.py: {PACKED} is not what the catalog says: run data/services.py")
    else:
        PACKED.write_bytes(packed.encode())
    services = {row["service"] for row in document["rows"]}
    print(f"{len(lines)} rows, {len(services)} services, {len(packed)} bytes, version {head['version']}")


if __name__ == "__main__":
    main()
