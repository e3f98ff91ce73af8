"""Matching 1e6 dendritic segments x 20 synapses against a 2 048-cell code with 40 active cells.

Peer of crates/memory/benches/segments.rs, on the same shapes. Two algorithms, as there:
row by row (every synapse looked up; the plain numpy way) and by an index from cell to segments (only
the synapses of active cells; numpy's concatenate + bincount, and scipy's sparse columns). Each is
the fastest of the forms tried; numpy runs these on one thread.

Run both:
    python bench/peers/numpy_segments.py
    cargo bench -p chiasm-memory --bench segments
"""

import statistics
import sys
import time

import numpy
from scipy import sparse

CELLS, ACTIVE, SEGMENTS, SYNAPSES, THRESHOLD = 2048, 40, 1_000_000, 20, 4

generator = numpy.random.default_rng(0)
# Distinct synapses: the places of the 20 smallest of 2 048 random numbers, in slices to save room.
rows = [
    numpy.argpartition(generator.random((10_000, CELLS), dtype=numpy.float32), SYNAPSES, axis=1)[:, :SYNAPSES]
    for _ in range(SEGMENTS // 10_000)
]
synapses = numpy.concatenate(rows).astype(numpy.uint16)
wide = synapses.astype(numpy.intp)
active = numpy.sort(generator.choice(CELLS, ACTIVE, replace=False))
dense = numpy.zeros(CELLS, numpy.uint8)
dense[active] = 1

order = numpy.argsort(synapses.ravel(), kind="stable")
listed = (order // SYNAPSES).astype(numpy.int64)
starts = numpy.searchsorted(synapses.ravel()[order], numpy.arange(CELLS + 1))
matrix = sparse.csc_array((numpy.ones(listed.size, numpy.uint16), listed, starts), shape=(SEGMENTS, CELLS))
code = numpy.zeros(CELLS, numpy.uint16)
code[active] = 1


def by_index():
    parts = [listed[starts[cell] : starts[cell + 1]] for cell in active]
    return numpy.bincount(numpy.concatenate(parts), minlength=SEGMENTS)


METHODS = {
    "rows: dense[synapses].sum, 16-bit cells": lambda: dense[synapses].sum(1, dtype=numpy.uint8),
    "rows: dense.take(synapses).sum, word-size cells": lambda: dense.take(wide).sum(1, dtype=numpy.uint8),
    "rows: one column after the other": lambda: sum(dense[column] for column in columns),
    "index: concatenate + bincount": by_index,
    "index: scipy csc @ code": lambda: matrix @ code,
    "index + threshold: bincount, then flatnonzero": lambda: numpy.flatnonzero(by_index() >= THRESHOLD),
}
columns = [numpy.ascontiguousarray(wide[:, place]) for place in range(SYNAPSES)]

truth = dense[synapses].sum(1)
print(f"python {sys.version.split()[0]}, numpy {numpy.__version__}; {int((truth >= THRESHOLD).sum())} segments reach {THRESHOLD}")
for name, method in METHODS.items():
    result = numpy.asarray(method())
    if "threshold" in name:
        assert (result == numpy.flatnonzero(truth >= THRESHOLD)).all(), name
    else:
        assert (result == truth).all(), name
    times = []
    for _ in range(9):
        start = time.perf_counter()
        method()
        times.append(time.perf_counter() - start)
    print(f"{name:50s} {1e3 * statistics.median(times):9.3f} ms")
