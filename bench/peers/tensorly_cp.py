"""tensorly on the work of `crates/numerics/benches/tensor.rs`: 100 sweeps of non-negative CP by HALS,
600 x 12 x 1 770, rank 12, nothing missing (tensorly's HALS takes no mask).

    pip install tensorly==0.10.0
    OMP_NUM_THREADS=2 python bench/peers/tensorly_cp.py [float32|float64]
"""

import sys
import time

import numpy as np
import tensorly as tl
from tensorly.cp_tensor import CPTensor
from tensorly.decomposition import non_negative_parafac_hals

RANK, SHAPE = 12, (600, 12, 1770)


def uniform(start, count):
    """Numbers in [0, 1) from their index (SplitMix64)."""
    x = (np.arange(start, start + count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


dtype = np.dtype(sys.argv[1] if len(sys.argv) > 1 else "float64")
at, factors = 0, []
for size in SHAPE:
    u = uniform(at, size * RANK).reshape(size, RANK)
    at += size * RANK
    factors.append(np.where(u >= 0.6, u, 0.0))
clean = np.einsum("ir,jr,kr->ijk", *factors, optimize=True)
x = (clean + clean.mean() * uniform(at, clean.size).reshape(SHAPE)).astype(np.float32).astype(dtype)
rng = np.random.default_rng(0)
start = CPTensor((np.ones(RANK, dtype), [rng.random((n, RANK)).astype(dtype) for n in SHAPE]))
begin = time.perf_counter()
cp = non_negative_parafac_hals(tl.tensor(x), RANK, n_iter_max=100, init=start, tol=0.0)
seconds = time.perf_counter() - begin
residual = np.linalg.norm(x - tl.cp_to_tensor(cp)) / np.linalg.norm(x)
print(f"tensorly {tl.__version__} {dtype}: 100 sweeps in {seconds:.2f} s, relative error {residual:.6f}")
