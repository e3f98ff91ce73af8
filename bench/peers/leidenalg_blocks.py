"""leidenalg and graph-tool on the graph of `crates/numerics/benches/graph.rs` (500 nodes, ten groups).

    pip install leidenalg==0.12.0 && python bench/peers/leidenalg_blocks.py
    apt-get install python3-graph-tool && /usr/bin/python3 bench/peers/leidenalg_blocks.py

Each part runs where its package is installed. The description lengths are by the same definition as
ours: `recs_dl=False` (or the sums of weights would be described twice) and the degree term worked out
with exact restricted partitions, of which graph-tool 2.45 holds a wrong table.
"""

import math
import time

import numpy as np


def uniform(index):
    x = (index.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


a, b = np.triu_indices(500, 1)
inside, half = a // 50 == b // 50, a // 250 == b // 250
chance = np.where(inside, 0.25, np.where(half, 0.03, 0.01))
mean = np.where(inside, 3.0, np.where(half, 1.0, 0.5))
pair = 2 * (500 * a + b)
keep = uniform(pair) < chance
a, b, w = a[keep], b[keep], (-mean * np.log(1 - uniform(pair + 1)))[keep]
print(f"{len(a)} edges")


def with_leidenalg():
    import igraph
    import leidenalg

    graph = igraph.Graph(500, list(zip(a.tolist(), b.tolist())))
    begin = time.perf_counter()
    parts = [
        leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, weights=w.tolist(), seed=s)
        for s in range(8)
    ]
    seconds = time.perf_counter() - begin
    best = max(part.quality() for part in parts)
    print(f"leidenalg {leidenalg.version}: 8 restarts in {seconds:.3f} s, modularity {best:.6f}")


def exact_degrees(k, blocks):
    length = 0.0
    for r in np.unique(blocks):
        degrees = k[blocks == r].astype(int)
        total = int(degrees.sum())
        ways = [1] + [0] * total
        for part in range(1, min(len(degrees), total) + 1):
            for value in range(part, total + 1):
                ways[value] += ways[value - part]
        length += math.log(ways[total]) + math.lgamma(len(degrees) + 1)
        length -= sum(math.lgamma(int(c) + 1) for c in np.bincount(degrees))
    return length


def with_graph_tool():
    import graph_tool.all as gt

    gt.seed_rng(1)
    graph = gt.Graph(directed=False)
    graph.add_vertex(500)
    x = graph.new_ep("double")
    for i, j, weight in zip(a.tolist(), b.tolist(), w.tolist()):
        x[graph.add_edge(i, j)] = weight
    for corrected in (False, True):
        begin = time.perf_counter()
        best = math.inf
        for _ in range(4):
            state = gt.minimize_nested_blockmodel_dl(
                graph,
                state_args=dict(deg_corr=corrected, recs=[x], rec_types=["real-exponential"],
                                rec_params=["microcanonical"]),
                multilevel_mcmc_args=dict(entropy_args=dict(recs_dl=False)),
            )
            blocks = np.array(state.get_bs()[0])
            length = state.entropy(degree_dl=False, recs_dl=False)
            if corrected:
                length += exact_degrees(graph.get_total_degrees(graph.get_vertices()), blocks)
            if length < best:
                best, count = length, len(np.unique(blocks))
        seconds = time.perf_counter() - begin
        print(f"graph-tool {gt.__version__.split()[0]}, degree-corrected {corrected}: 4 searches in "
              f"{seconds:.2f} s, shortest description {best:.3f} nats, {count} blocks")


for part in (with_leidenalg, with_graph_tool):
    try:
        part()
    except ImportError as missing:
        print(f"skipped: {missing}")
