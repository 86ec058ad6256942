#!/usr/bin/env python3
"""Makes the price tables of dexcost from their pinned sources.

    pip download --no-deps litellm==1.109.1
    python3 data/generate.py --litellm litellm-1.109.1-py3-none-any.whl [--legacy legacy_prices.json.gz]
    python3 data/generate.py                 # packs the committed tables again
    python3 data/generate.py --check         # fails if the packed tables are not what the text tables say

Two steps, Python's standard library only:

1. read   the pinned price map -> data/llm_prices.txt, the retired models -> data/llm_legacy.txt.
          Both are the tables of record: one dated row a line, meant to be read and reviewed.
2. pack   both tables -> dexcost/src/pricing/table/llm.keys and llm.bin, which are compiled in.

A later map is read with --effective-from DATE: rows that changed are added with that date, and the
older rows stay, so that calls billed before keep the price they had. FORMAT.md describes both forms.
"""

import argparse
import datetime
import decimal
import gzip
import hashlib
import json
import pathlib
import re
import struct
import sys
import zipfile
import zoneinfo

HERE = pathlib.Path(__file__).resolve().parent
PACKED = HERE.parent / "dexcost" / "src" / "pricing" / "table"

PIN_VERSION = "1.109.1"
PIN_SHA256 = "8f8060d8ce7a40c91b995c74d6a27657543d49e3c1c53430dabd556f244392c6"
PIN_MEMBER = "litellm/model_prices_and_context_window_backup.json"
NOT_MODELS = ("sample_spec", "fallback_generalizations")

# Our name of every price component, in the order of the packed table (the Rust side has the same list).
COMPONENTS = [
    ("input", "input_cost_per_token"),
    ("output", "output_cost_per_token"),
    ("cache_read", "cache_read_input_token_cost"),
    ("cache_write", "cache_creation_input_token_cost"),
    ("cache_write_1h", "cache_creation_input_token_cost_above_1hr"),
    ("cache_write_12h", "cache_creation_input_token_cost_above_12hr"),
    ("reasoning", "output_cost_per_reasoning_token"),
    ("input_audio", "input_cost_per_audio_token"),
    ("output_audio", "output_cost_per_audio_token"),
    ("cache_read_audio", "cache_read_input_audio_token_cost"),
    ("cache_read_image", "cache_read_input_image_token_cost"),
    ("cache_write_audio", "cache_creation_input_audio_token_cost"),
    ("input_image_token", "input_cost_per_image_token"),
    ("output_image_token", "output_cost_per_image_token"),
    ("input_video_token", "input_cost_per_video_token"),
    ("output_video_token", "output_cost_per_video_token"),
    ("explicit_cache_read", "explicit_cache_read_input_token_cost"),
    ("citation", "citation_cost_per_token"),
    ("input_image", "input_cost_per_image"),
    ("output_image", "output_cost_per_image"),
    ("input_pixel", "input_cost_per_pixel"),
    ("output_pixel", "output_cost_per_pixel"),
    ("input_character", "input_cost_per_character"),
    ("output_character", "output_cost_per_character"),
    ("query", "input_cost_per_query"),
    ("request", "input_cost_per_request"),
    ("text_message", "input_cost_per_text_message"),
    ("input_second", "input_cost_per_second"),
    ("output_second", "output_cost_per_second"),
    ("input_audio_second", "input_cost_per_audio_per_second"),
    ("input_video_second", "input_cost_per_video_per_second"),
    ("output_video_second", "output_cost_per_video_per_second"),
    ("wall_second", "cost_per_second"),
    ("page", "ocr_cost_per_page"),
    ("annotation_page", "annotation_cost_per_page"),
    ("ocr_credit", "ocr_cost_per_credit"),
    ("code_session", "code_interpreter_cost_per_session"),
    ("maps_query", "google_maps_grounding_cost_per_query"),
    ("search_low", None),
    ("search_medium", None),
    ("search_high", None),
    ("output_second_480p", "output_cost_per_second_480p"),
    ("output_second_720p", "output_cost_per_second_720p"),
    ("output_second_768p", "output_cost_per_second_768p"),
    ("output_second_1080p", "output_cost_per_second_1080p"),
    ("output_second_2k", "output_cost_per_second_2k"),
    ("output_second_4k", "output_cost_per_second_4k"),
    ("output_image_0.5k", "output_cost_per_image_0.5K"),
    ("output_image_1k", "output_cost_per_image_1K"),
    ("output_image_2k", "output_cost_per_image_2K"),
    ("output_image_4k", "output_cost_per_image_4K"),
    ("output_image_512", "output_cost_per_image_512"),
    ("output_image_1024", "output_cost_per_image_1024"),
    ("output_image_1536", "output_cost_per_image_1536"),
    ("video_second_8s", "input_cost_per_video_per_second_above_8s_interval"),
    ("video_second_15s", "input_cost_per_video_per_second_above_15s_interval"),
    ("x_residency_us", "regional_processing_uplift_multiplier_us"),
    ("x_residency_eu", "regional_processing_uplift_multiplier_eu"),
    ("x_regional", "regional_endpoint_uplift_multiplier"),
    ("x_geo_us", None),
    ("x_speed_fast", None),
]
CODE = {name: code for code, (name, _) in enumerate(COMPONENTS)}
BY_SOURCE = {source: name for name, source in COMPONENTS if source}

# Price variants of a component: `name@tier`.
TIERS = ["", "batch", "flex", "priority", "balanced", "ultrafast", "decisions"]
SOURCE_TIER = {"batches": "batch", "flex": "flex", "priority": "priority", "balanced": "balanced",
               "ultrafast": "ultrafast", "decisions": "decisions"}

# Keys that carry no price we use, on purpose.
IGNORED = re.compile(
    r"^(input_cost_per_token_cache_hit|(input|output)_dbu_cost_per_token|guardrail_cost_per_unit|search_free_requests"
    r"|token_count_model|prompt_cache_min_tokens)$")

FLAG_PER_QUERY, FLAG_RANGES, FLAG_OFF_PEAK, FLAG_LEGACY, FLAG_REFUSED = 1, 2, 4, 8, 16

# The highest price that a unit can have, in USD; pricing/sanity.rs says why and has the same limits.
PROMPT_TOKENS = ("input", "cache_read", "cache_write", "cache_write_1h", "cache_write_12h", "explicit_cache_read",
                 "input_audio", "cache_read_audio", "cache_read_image", "cache_write_audio", "input_image_token",
                 "input_video_token", "citation")
COMPLETION_TOKENS = ("output", "reasoning", "output_audio", "output_image_token", "output_video_token")
LIMITS = {**dict.fromkeys(PROMPT_TOKENS, "0.0004"), **dict.fromkeys(COMPLETION_TOKENS, "0.001"),
          "input_pixel": "0.00001", "output_pixel": "0.00001", "input_character": "0.001", "output_character": "0.001"}


def is_absurd(prices):
    """Whether any price of an entry cannot be meant; then none of it is used."""
    return any(decimal.Decimal(value) > decimal.Decimal(LIMITS.get(re.split("[>@]", name)[0], "10"))
               for name, value in prices.items() if name not in ("ranges", "off_peak", "per_query"))


def fail(message):
    sys.exit(f"generate.py: {message}")


# ---- step 1: read the sources ------------------------------------------------------------------

def exact(value):
    """A JSON price as a decimal of 15 significant digits, half-even, in plain notation."""
    number = decimal.Decimal(value) if isinstance(value, str) else decimal.Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite() or number < 0:
        fail(f"{value!r} is no price")
    rounded = decimal.Context(prec=15, rounding=decimal.ROUND_HALF_EVEN).create_decimal(number)
    return plain(rounded)


def plain(number):
    if number == 0:
        return "0"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def load_map(path):
    raw = pathlib.Path(path).read_bytes()
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            raw = wheel.read(PIN_MEMBER)
    elif path.endswith(".gz"):
        raw = gzip.decompress(raw)
    return raw


def component_of(key):
    """`input_cost_per_token_above_200k_tokens_priority` -> `input>200000@priority`; None if it is no price."""
    if key in BY_SOURCE:
        return BY_SOURCE[key]
    tier = ""
    for suffix, name in SOURCE_TIER.items():
        if key.endswith("_" + suffix):
            key, tier = key[: -len(suffix) - 1], name
            break
    threshold = ""
    match = re.fullmatch(r"(.+)_above_(\d+)(k?)_tokens", key)
    if match:
        key = match.group(1)
        threshold = ">" + str(int(match.group(2)) * (1000 if match.group(3) else 1))
    if key not in BY_SOURCE:
        return None
    return BY_SOURCE[key] + threshold + ("@" + tier if tier else "")


def prices_of(entry, key):
    """The cost-bearing part of one map entry as {our name: text}."""
    out = {}
    for name, value in entry.items():
        if IGNORED.match(name):
            continue
        if name == "search_context_cost_per_query":
            for size in ("low", "medium", "high"):
                if f"search_context_size_{size}" in value:
                    out[f"search_{size}"] = exact(value[f"search_context_size_{size}"])
        elif name == "web_search_billing_unit":
            if value == "per_query":
                out["per_query"] = "1"
        elif name == "provider_specific_entry":
            for word, ours in (("us", "x_geo_us"), ("fast", "x_speed_fast")):
                if word in value:
                    out[ours] = exact(value[word])
        elif name == "tiered_pricing":
            out["ranges"] = ranges_of(value, key)
        elif name == "off_peak_pricing":
            out["off_peak"] = off_peak_of(value, key)
        elif component_of(name):
            out[component_of(name)] = exact(value)
        elif re.search(r"cost|price|uplift", name):
            fail(f"{key}: cost-bearing key {name} is not known to this script")
    return out


def ranges_of(rows, key):
    """Range tables: `(0,256000]input=…,output=…;…` by prompt tokens, `[0,25]query=…;…` by results asked for."""
    parts = []
    for row in rows:
        rates = {component_of(k): exact(v) for k, v in row.items() if k not in ("range", "max_results_range")}
        if "range" in row:
            lo, hi = (int(decimal.Decimal(x)) for x in row["range"])
            head = f"({lo},{hi}]"
        else:
            lo, hi = (int(decimal.Decimal(x)) for x in row["max_results_range"])
            head = f"[{lo},{hi}]"
        if None in rates or lo > hi:
            fail(f"{key}: range {row} is not understood")
        parts.append(head + ",".join(f"{k}={v}" for k, v in sorted(rates.items(), key=lambda kv: CODE[kv[0]])))
    return ";".join(parts)


def off_peak_of(block, key):
    """`+480:1-5@0-60,240-360,600-1440;6-7@0-1440:input=…,output=…`: minutes UTC, weekdays in the zone of `+minutes`."""
    offset = zone_offset(block.get("weekday_timezone", "UTC"))
    windows = []
    rules = list(block.get("windows", []))
    if "hours_utc" in block:
        rules.append({"hours_utc": block["hours_utc"]})
    for rule in rules:
        hours = rule["hours_utc"]
        spans = []
        for span in [hours] if isinstance(hours, str) else hours:
            start, end = (int(t[:2]) * 60 + int(t[3:5]) for t in span.split("-"))
            spans.append(f"{start}-{end}")
        days = "".join(str(d) for d in sorted(rule.get("weekdays", range(1, 8))))
        windows.append(days + "@" + ",".join(spans))
    rates = {component_of(k): exact(v) for k, v in block.items()
             if k not in ("windows", "hours_utc", "weekday_timezone")}
    if None in rates:
        fail(f"{key}: off-peak block {block} is not understood")
    return f"{offset:+d}:{';'.join(windows)}:" + ",".join(
        f"{k}={v}" for k, v in sorted(rates.items(), key=lambda kv: CODE[kv[0]]))


def zone_offset(name):
    """Minutes east of UTC; only zones whose clocks never change can be packed."""
    if name == "UTC":
        return 0
    zone = zoneinfo.ZoneInfo(name)
    offsets = {zone.utcoffset(datetime.datetime(2026, month, 15)) for month in range(1, 13)}
    if len(offsets) != 1:
        fail(f"zone {name} changes its clocks: not supported in off-peak tables")
    return int(offsets.pop().total_seconds() // 60)


def read_map(path, unpinned):
    raw = load_map(path)
    digest = hashlib.sha256(raw).hexdigest()
    if digest != PIN_SHA256 and not unpinned:
        fail(f"{path}: sha256 is {digest}, pinned is {PIN_SHA256} (litellm {PIN_VERSION})")
    table = json.loads(raw, parse_float=decimal_text)
    rows = {}
    for key, entry in table.items():
        if key not in NOT_MODELS:
            rows[key] = (entry["litellm_provider"], entry.get("mode") or "-", prices_of(entry, key))
    return rows, digest


class decimal_text(str):
    """A JSON number kept as its own text."""


def read_legacy(path):
    raw = pathlib.Path(path).read_bytes()
    table = json.loads(gzip.decompress(raw) if path.endswith(".gz") else raw, parse_float=decimal_text)
    return {key: (e["litellm_provider"], e.get("mode") or "-", prices_of({k: v for k, v in e.items() if k != "last_seen_litellm"}, key))
            for key, e in table.items()}


# ---- the tables of record ----------------------------------------------------------------------

def component_order(name):
    base = re.split(r"[>@]", name)[0]
    return (CODE.get(base, 999), name)


def write_table(path, header, rows):
    """rows: {key: [(effective_from, provider, mode, {name: text})]}, oldest first."""
    lines = [f"# {line}" for line in header]
    for key in sorted(rows):
        for since, provider, mode, prices in rows[key]:
            text = " ".join(f"{n}={prices[n]}" for n in sorted(prices, key=component_order))
            lines.append("\t".join((key, provider, mode, since, text)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load_table(path):
    rows = {}
    if not path.exists():
        return rows
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        try:
            key, provider, mode, since, text = line.split("\t")
            if since != "-":
                datetime.date.fromisoformat(since)
            prices = dict(p.split("=", 1) for p in text.split(" ") if p)
            for name, value in prices.items():
                check_price(name, value)
            versions = rows.setdefault(key, [])
            if versions and not versions[-1][0] < since and versions[-1][0] != "-":
                raise ValueError("rows of one key must be in order of their dates")
            if versions and since == "-":
                raise ValueError("only the first row of a key may hold since always")
            versions.append((since, provider, mode, prices))
        except ValueError as error:
            fail(f"{path.name}:{number}: {error}")
    return rows


def check_price(name, value):
    if name in ("ranges", "off_peak", "per_query"):
        return
    base, _, tier = name.partition("@")
    base, _, threshold = base.partition(">")
    if base not in CODE or tier not in TIERS or (threshold and not threshold.isdigit()):
        raise ValueError(f"{name} is no price component")
    if not re.fullmatch(r"\d+(\.\d+)?", value) or len(value.replace(".", "").lstrip("0")) > 15:
        raise ValueError(f"{name}={value} is no decimal of at most 15 significant digits")


def merge(old, new, since):
    """The new state over the dated rows that exist: what changed gets a new row."""
    if not old:
        return {key: [("-", *row)] for key, row in new.items()}
    rows = {}
    for key, row in new.items():
        versions = old.get(key, [])
        if versions and versions[-1][1:] == row:
            rows[key] = versions
        elif not versions:
            rows[key] = [("-", *row)]
        elif since is None:
            fail(f"{key} changed: say from when with --effective-from YYYY-MM-DD")
        else:
            rows[key] = [v for v in versions if v[0] < since or v[0] == "-"] + [(since, *row)]
    return rows


# ---- step 2: pack ------------------------------------------------------------------------------

M64 = (1 << 64) - 1
MIX = 0x9E3779B97F4A7C15


def fold_hash(piece):
    """64-bit hash of the ASCII-lower-cased bytes; table/hash.rs computes the same."""
    data = bytes(b | 0x20 if 0x41 <= b <= 0x5A else b for b in piece.encode())
    h = (len(data) * MIX) & M64
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at:at + 8].ljust(8, b"\0"), "little")
        h ^= word
        h = (h * MIX) & M64
        h ^= h >> 32
    return h


def name_hash(key):
    """The hash of a key: of what stands before the first slash, and of the rest."""
    head, slash, tail = key.partition("/")
    head, tail = (fold_hash(head), fold_hash(tail)) if slash else (0, fold_hash(key))
    h = (((head << 23 | head >> 41) & M64) ^ tail) * MIX & M64
    return h ^ h >> 32


def family(provider):
    """The family whose entries hold for each other; names/provider.rs has the same rule."""
    for prefix in ("vertex_ai", "fireworks_ai"):
        if provider.startswith(prefix + "-"):
            return prefix
    return {"bedrock_converse": "bedrock", "bedrock_mantle": "bedrock", "cohere_chat": "cohere", "azure_text": "azure",
            "text-completion-openai": "openai", "text-completion-codestral": "codestral",
            "text-completion-inception": "inception", "qwencloud": "dashscope", "qwen_ai_platform": "dashscope",
            "sagemaker_chat": "sagemaker", "ollama_chat": "ollama"}.get(provider, provider)


class Pool:
    """Distinct rates, packed as mantissa | scale << 56."""

    def __init__(self):
        self.index = {}

    def of(self, text):
        number = decimal.Decimal(text).normalize()
        sign, digits, exponent = number.as_tuple()
        mantissa = int("".join(map(str, digits)))
        if exponent > 0:
            mantissa, exponent = mantissa * 10**exponent, 0
        assert sign == 0 and mantissa < 1 << 56 and -exponent <= 28
        return self.index.setdefault((mantissa, -exponent), len(self.index))

    def bytes(self):
        return b"".join(struct.pack("<Q", m | s << 56) for m, s in self.index)


def field_code(name, thresholds):
    base, _, tier = name.partition("@")
    base, _, threshold = base.partition(">")
    variant = TIERS.index(tier) | ((thresholds.index(int(threshold)) + 1 if threshold else 0) << 3)
    return variant << 8 | CODE[base]


def pack_rates(pairs, pool, thresholds):
    fields = sorted((field_code(n, thresholds), pool.of(v)) for n, v in pairs)
    return struct.pack("<H", len(fields)) + b"".join(struct.pack("<HH", c, r) for c, r in fields)


def pairs_of(text):
    return [p.split("=") for p in text.split(",") if p]


def pack_ranges(text, pool, thresholds):
    parts = text.split(";")
    by_results = parts[0].startswith("[")
    out = struct.pack("<BB", 1 if by_results else 0, len(parts))
    for part in parts:
        lo, hi, rates = re.fullmatch(r"[\[(](\d+),(\d+)\](.*)", part).groups()
        out += struct.pack("<II", int(lo), int(hi)) + pack_rates(pairs_of(rates), pool, thresholds)
    return out


def pack_off_peak(text, pool, thresholds):
    offset, windows, rates = text.split(":")
    spans = []
    for rule in windows.split(";"):
        days, hours = rule.split("@")
        mask = sum(1 << (int(d) - 1) for d in days)
        for span in hours.split(","):
            spans.append((mask, *map(int, span.split("-"))))
    out = struct.pack("<hB", int(offset), len(spans))
    out += b"".join(struct.pack("<BHH", *span) for span in spans)
    return out + pack_rates(pairs_of(rates), pool, thresholds)


def pack(current, legacy, version):
    """The layout that table/mod.rs reads; all integers little-endian."""
    providers, thresholds = [], []
    for rows in (current, legacy):
        for versions in rows.values():
            for _, provider, _, prices in versions:
                if provider not in providers:
                    providers.append(provider)
                thresholds += [int(t) for n in prices for t in re.findall(r">(\d+)", n)]
    providers = sorted({*providers, *map(family, providers)})
    thresholds = sorted(set(thresholds))
    pool, keys, entries, body = Pool(), [], [], b""
    key_text, key_at = "", {}
    for is_legacy, rows in ((0, current), (1, legacy)):
        for key in sorted(rows):
            first = len(entries)
            if key not in key_at:
                key_at[key] = len(key_text)
                key_text += key
            for since, provider, _, prices in reversed(rows[key]):
                plain_prices = [(n, v) for n, v in prices.items() if n not in ("ranges", "off_peak", "per_query")]
                flags = FLAG_PER_QUERY if "per_query" in prices else 0
                flags |= (FLAG_LEGACY if is_legacy else 0) | (FLAG_REFUSED if is_absurd(prices) else 0)
                at = len(body)
                body += pack_rates(plain_prices, pool, thresholds)
                for bit, name, packer in ((FLAG_RANGES, "ranges", pack_ranges), (FLAG_OFF_PEAK, "off_peak", pack_off_peak)):
                    if name in prices:
                        flags |= bit
                        body += packer(prices[name], pool, thresholds)
                seconds = 0 if since == "-" else int(datetime.datetime.fromisoformat(since + "T00:00:00+00:00").timestamp())
                entries.append((seconds, at, providers.index(provider), flags))
            keys.append((key, key_at[key], first, len(rows[key])))
    slots = slot_table(keys)
    provider_rows, provider_text = b"", ""
    for name in providers:
        provider_rows += struct.pack("<IHB", len(key_text) + 1 + len(provider_text), len(name), providers.index(family(name)))
        provider_text += name
    component_text = " ".join(name for name, _ in COMPONENTS)
    sections = [
        b"".join(struct.pack("<I", s) for s in slots),
        b"".join(struct.pack("<IHHBB", at, first, 0, len(key.encode()), count) for key, at, first, count in keys),
        b"".join(struct.pack("<IIBB", *e) for e in entries),
        pool.bytes(),
        provider_rows,
        b"".join(struct.pack("<I", t) for t in thresholds),
        body,
    ]
    offsets, at = [], 8 + 12 + 4 * len(sections) * 2
    for section in sections:
        offsets += [at, len(section)]
        at += len(section)
    blob = b"DXPRICE1" + version.encode() + struct.pack(f"<{len(offsets)}I", *offsets) + b"".join(sections)
    return key_text + "\n" + provider_text + "\n" + component_text + "\n" + version + "\n", blob, len(pool.index)


def slot_table(keys):
    """Open addressing, linear probing: 0 = empty, else key index + 1 in the low half, hash tag in the high half."""
    size = 16384
    slots = [0] * size
    for index, (key, *_rest) in enumerate(keys):
        h = name_hash(key)
        at = h >> 50
        while slots[at % size]:
            at += 1
        slots[at % size] = (index + 1) | ((h >> 16) & 0xFFFF) << 16
    return slots


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--litellm", help="the wheel, or its price map as .json or .json.gz")
    parser.add_argument("--legacy", help="the retired models as .json or .json.gz")
    parser.add_argument("--effective-from", metavar="DATE", help="the date from which changed prices hold")
    parser.add_argument("--unpinned", action="store_true", help="accept a map with another sha256")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the packed tables differ")
    args = parser.parse_args()

    current_path, legacy_path = HERE / "llm_prices.txt", HERE / "llm_legacy.txt"
    if args.litellm:
        new, digest = read_map(args.litellm, args.unpinned)
        rows = merge(load_table(current_path), new, args.effective_from)
        write_table(current_path, ["Model prices in USD per unit. One dated row a line: key, provider, mode, effective_from, prices.",
                                   "`-` holds since always. Made by generate.py; see FORMAT.md and SOURCES.md.",
                                   f"source sha256 {digest}"], rows)
    if args.legacy:
        write_table(legacy_path, ["Models that are no longer listed, with the last price seen. Same form as llm_prices.txt."],
                    {key: [("-", *row)] for key, row in read_legacy(args.legacy).items()})
    current, legacy = load_table(current_path), load_table(legacy_path)
    version = hashlib.sha256(current_path.read_bytes() + legacy_path.read_bytes()).hexdigest()[:12]
    names, blob, rates = pack(current, legacy, version)
    targets = ((PACKED / "llm.keys", names.encode()), (PACKED / "llm.bin", blob))
    for path, content in targets:
        if args.check:
            if not path.exists() or path.read_bytes() != content:
                fail(f"{path} is not what the text tables say: run data/generate.py")
        else:
            path.write_bytes(content)
    refused = [k for rows in (current, legacy) for k, versions in rows.items() if any(is_absurd(v[3]) for v in versions)]
    print(f"refused as absurd: {', '.join(refused)}")
    print(f"{len(current)} models, {len(legacy)} retired, {rates} distinct rates, "
          f"{len(names.encode()) + len(blob)} bytes packed, version {version}")


if __name__ == "__main__":
    main()
