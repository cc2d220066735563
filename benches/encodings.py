"""What encodings make of the number of requests in a data file of a store: bytes per row, beside the entropy of the numbers.

    pip install pyarrow
    python benches/encodings.py nines/requests/date=2026-10-14/k2-….parquet
"""
import io
import sys
from collections import Counter
from math import log2

import pyarrow as pa
import pyarrow.parquet as pq


def entropy(numbers):
    counts = Counter(numbers)
    return sum(count * log2(len(numbers) / count) for count in counts.values())


def size(table, level, **encoding):
    written = io.BytesIO()
    pq.write_table(table, written, row_group_size=1 << 20, compression="zstd", compression_level=level, **encoding)
    return written.tell() / len(table)


def main(path):
    file = pq.ParquetFile(path)
    stored = Counter()
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            chunk = file.metadata.row_group(group).column(column)
            stored[chunk.path_in_schema] += chunk.total_compressed_size
    rows = file.metadata.num_rows
    print(f"{rows:,} rows; stored, bytes per row:")
    for name, taken in stored.most_common(4):
        print(f"  {name:20} {taken / rows:.3f}")
    print(f"  {'all columns':20} {stored.total() / rows:.3f}")

    key = [name for name in ("business", "service", "endpoint", "customer", "status", "cause") if name in file.schema_arrow.names]
    table = file.read(columns=[*key, "requests"])
    series = {}
    for *of, requests in zip(*(table[name].to_pylist() for name in table.column_names)):
        series.setdefault(tuple(of), []).append(requests)
    bits = sum(entropy(numbers) for numbers in series.values())
    print(f"entropy of requests, order 0, each of {len(series):,} series by itself: {bits / 8 / rows:.3f} bytes")

    requests = table.select(["requests"])
    plain = {"use_dictionary": False}
    forms = {
        "dictionary": {},
        "BYTE_STREAM_SPLIT": {**plain, "column_encoding": {"requests": "BYTE_STREAM_SPLIT"}},
        "DELTA_BINARY_PACKED": {**plain, "column_encoding": {"requests": "DELTA_BINARY_PACKED"}},
    }
    print(f"{'requests by zstd':20}" + "".join(f"{level:8}" for level in (3, 9, 19)))
    for name, encoding in forms.items():
        print(f"{name:20}" + "".join(f"{size(requests, level, **encoding):8.3f}" for level in (3, 9, 19)))


main(sys.argv[1])
