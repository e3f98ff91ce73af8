"""himalaya on the work of `crates/numerics/benches/regression.rs`: ridge with a penalty a target, 5 000 rows, 2 000 features,
20 penalties, 5 folds, f32; banded ridge, 1 500 rows, 3 bands of 150 features, 5 000 targets.

    pip install himalaya==0.4.11 torch
    OMP_NUM_THREADS=2 python bench/peers/himalaya_ridge.py ridge numpy|torch TARGETS
    OMP_NUM_THREADS=2 python bench/peers/himalaya_ridge.py banded numpy|torch CANDIDATES
"""

import resource
import sys
import time

import numpy as np
from himalaya.backend import set_backend
from himalaya.ridge import GroupRidgeCV, RidgeCV
from himalaya.scoring import r2_score
from sklearn.model_selection import KFold

work, backend_name, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
backend = set_backend(backend_name)
if backend_name == "torch":
    import torch

    torch.set_num_threads(2)


def uniform(start, rows, columns):
    """Numbers in [-0.5, 0.5) from their index (SplitMix64), a few rows at a time."""
    table = np.empty((rows, columns), np.float32)
    for first in range(0, rows, 100):
        count = min(100, rows - first) * columns
        at = np.uint64(start + first * columns)
        x = (np.arange(count, dtype=np.uint64) + at + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53 - 0.5
        table[first : first + 100] = x.reshape(-1, columns)
    return table


def world(rows, features, targets):
    x = uniform(0, rows + 500, features)
    y = uniform(1 << 41, rows + 500, targets)
    y *= 2
    y += x[:, :50] @ uniform(1 << 40, 50, targets)
    return x, y


alphas = np.logspace(-1, 6, 20).astype(np.float32)
folds = KFold(5)
if work == "ridge":
    rows = 5000
    x, y = world(rows, 2000, size)
    model = RidgeCV(alphas=alphas, cv=folds, fit_intercept=True, solver_params=dict(
        score_func=r2_score, n_targets_batch=2000, n_alphas_batch=5))
else:
    rows = 1500
    x, y = world(rows, 450, 5000)
    weights = (uniform(1 << 42, size, 3).astype(np.float64) + 0.5) ** 4
    weights[0] = 1
    weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    model = GroupRidgeCV(groups=np.repeat(np.arange(3), 150), cv=folds, fit_intercept=True, solver_params=dict(
        n_iter=weights, alphas=alphas, score_func=r2_score, n_targets_batch=2000, n_alphas_batch=5,
        progress_bar=False))
begin = time.perf_counter()
model.fit(x[:rows], y[:rows])
seconds = time.perf_counter() - begin
score = backend.to_numpy(r2_score(backend.asarray(y[rows:]), model.predict(backend.asarray(x[rows:])))).mean()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"himalaya {work} {backend_name} {size}: {seconds:.2f} s, mean held-out R² {score:.5f}, peak {peak:.0f} MiB")
