"""The plain search for image triplets in NumPy, beside `crates/numerics/benches/similarity.rs`.

    OMP_NUM_THREADS=2 python bench/peers/numpy_triplets.py

For every wanted triplet unused images are tried as roots; for each root all pairs of unused images are
looked at (O(n^2), vectorised), as the authors' program does with loops. Same images (by recipe), bins,
tolerance, balanced signs and order of bins as ours; its time and what it found are printed.
"""

import sys
import time

import numpy as np


def images(seed, count):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, 32))
    projected = centres @ (rng.normal(size=(32, 32)) / np.sqrt(32))
    category = np.arange(count) % 20
    high = centres[category] + 0.5 * rng.normal(size=(count, 32))
    low = 0.55 * projected[category] + 0.9 * rng.normal(size=(count, 32))
    return np.corrcoef(high), np.corrcoef(low)


def select(high, low, bins, tables, step=0.5, tolerance=0.01, seed=0):
    rng = np.random.default_rng(seed)
    count = len(high)
    off = ~np.eye(count, dtype=bool)
    high_step, low_step = step * high[off].std(), step * low[off].std()
    free = np.ones(count, dtype=bool)
    triplets, balance, roots = [], 0, 0
    for _ in range(tables):
        order = [(i, j) for i in range(1, bins + 1) for j in range(1, bins + 1)]
        rng.shuffle(order)
        order.sort(key=lambda bin: -sum(bin))
        for i, j in order:
            first = -np.sign(balance) if balance else rng.choice([-1, 1])
            found = None
            candidates = rng.permutation(np.flatnonzero(free))
            for sign in (first, -first):
                for root in candidates:
                    roots += 1
                    others = candidates[candidates != root]
                    h, l = high[root, others], low[root, others]
                    fits = np.abs(h[None, :] - h[:, None] - i * high_step) <= tolerance
                    fits &= np.abs(l[None, :] - l[:, None] - sign * j * low_step) <= tolerance
                    pairs = np.flatnonzero(fits)
                    if len(pairs):
                        a, b = divmod(rng.choice(pairs), len(others))
                        found = root, others[a], others[b]
                        break
                if found is not None:
                    break
            if found is None:
                continue
            balance += sign * i * j
            free[list(found)] = False
            triplets.append(found if rng.random() < 0.5 else (found[0], found[2], found[1]))
    return np.array(triplets), roots


def correlation(high, low, t):
    x = high[t[:, 0], t[:, 2]] - high[t[:, 0], t[:, 1]]
    y = low[t[:, 0], t[:, 2]] - low[t[:, 0], t[:, 1]]
    return np.corrcoef(x, y)[0, 1]


for count, bins in [(1000, 4), (2000, 8)][: int(sys.argv[1]) if len(sys.argv) > 1 else 2]:
    high, low = images(0, count)
    begin = time.perf_counter()
    triplets, roots = select(high, low, bins, 3)
    seconds = time.perf_counter() - begin
    print(
        f"{count} images, {bins} x {bins} bins, 3 tables: {seconds:.3f} s, {len(triplets)} triplets, "
        f"{roots} roots tried, correlation {correlation(high, low, triplets):.3f}",
        flush=True,
    )
