"""rsatoolbox's searchlight on the work of `crates/numerics/benches/searchlight.rs`, on one core.

    pip install rsatoolbox==0.3.2
    OMP_NUM_THREADS=1 python bench/peers/rsatoolbox_searchlight.py

A ball of radius 12 voxels as mask, spheres of 3.5 voxels that end at the mask, 40 conditions, correlation distance.
"""

import time
import warnings

import numpy as np
from rsatoolbox.inference import eval_fixed
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import compare
from rsatoolbox.util import searchlight

warnings.filterwarnings("ignore")
searchlight.tqdm = lambda work, **_: work
rng = np.random.default_rng(0)
CENTRES, CONDITIONS = 1000, 40

grid = np.stack(np.meshgrid(*[np.arange(26)] * 3, indexing="ij"), -1)
mask = ((grid - 12.5) ** 2).sum(-1) <= 12.0**2
data = rng.normal(size=(CONDITIONS, mask.size))
models = [ModelFixed(str(index), rng.uniform(size=CONDITIONS * (CONDITIONS - 1) // 2)) for index in range(3)]

start = time.perf_counter()
centres, neighbours = searchlight.get_volume_searchlight(mask, radius=3.5, threshold=0, truncate_at_boundary=True)
found = time.perf_counter()
print(f"{len(centres)} centres, spheres found in {found - start:.2f} s")
chosen = rng.permutation(len(centres))[:CENTRES]
rdms = searchlight.get_searchlight_RDMs(data, centres[chosen], [neighbours[c] for c in chosen], np.arange(CONDITIONS))
with_rdms = time.perf_counter()
for method in ("corr", "rho-a"):
    begin = time.perf_counter()
    searchlight.evaluate_models_searchlight(rdms, models, eval_fixed, method=method, n_jobs=1)
    evaluated = time.perf_counter() - begin
    begin = time.perf_counter()
    for model in models:
        compare(model.rdm_obj, rdms, method)
    bare = time.perf_counter() - begin
    spheres = (found - start) / len(centres)
    dissimilarities = (with_rdms - found) / CENTRES
    print(
        f"{method}: {1e3 * (spheres + dissimilarities + evaluated / CENTRES):.3f} ms a centre as documented "
        f"({1e3 * spheres:.3f} sphere, {1e3 * dissimilarities:.3f} RDM, {1e3 * evaluated / CENTRES:.3f} models); "
        f"{1e3 * (spheres + dissimilarities + bare / CENTRES):.3f} ms with one compare() over all RDMs"
    )
