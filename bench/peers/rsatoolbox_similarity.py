"""rsatoolbox on the work of `crates/numerics/benches/similarity.rs`, on as many threads as OMP_NUM_THREADS.

    pip install rsatoolbox==0.3.2
    OMP_NUM_THREADS=2 python bench/peers/rsatoolbox_similarity.py
"""

import sys
import time
import warnings

import numpy as np
from rsatoolbox.data import Dataset
from rsatoolbox.inference import boot_noise_ceiling, bootstrap_sample, eval_dual_bootstrap, evaluate
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs, calc_rdm, compare
from scipy.stats import rankdata

warnings.filterwarnings("ignore")
evaluate.tqdm.trange = range
rng = np.random.default_rng(0)


def median_of(name, repeats, work):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    print(f"{name:60s} {np.median(seconds):9.3f} s", flush=True)


def random_rdms(count, conditions):
    vectors = []
    for _ in range(count):
        vectors.append(calc_rdm(Dataset(rng.normal(size=(conditions, 100))), method="correlation").get_vectors()[0])
    return RDMs(np.array(vectors))


def geo_topological(rdms, low, up):
    """The definition per RDM; missing entries (pairs of identical conditions) stay missing."""
    vectors = rdms.get_vectors().copy()
    for vector in vectors:
        there = ~np.isnan(vector)
        ranks = rankdata(vector[there])
        ranks = (ranks - ranks.min()) / (ranks.max() - ranks.min())
        a, b = np.quantile(ranks, [low, up])
        vector[there] = np.clip((ranks - a) / (b - a), 0, 1)
    return RDMs(vectors, rdm_descriptors=rdms.rdm_descriptors, pattern_descriptors=rdms.pattern_descriptors)


def dual_bootstrap(draws):
    """Its own sampling, comparison and ceilings; the transform above in every draw, three bootstraps sharing
    each draw's subjects and conditions, as its `eval_dual_bootstrap` does."""
    data, models = random_rdms(12, 62), random_rdms(3, 62)
    values = []
    for _ in range(draws):
        both, subjects, conditions = bootstrap_sample(data)
        of_subjects = data.subsample("index", subjects)
        of_conditions = data.subsample_pattern("index", conditions)
        model_conditions = models.subsample_pattern("index", conditions)
        for sample, candidates in (
            (both, model_conditions),
            (of_subjects, models),
            (of_conditions, model_conditions),
        ):
            sample = geo_topological(sample, 0.0, 0.25)
            candidates = geo_topological(candidates, 0.0, 0.25)
            values.append(compare(candidates, sample, "corr").mean(axis=1))
            boot_noise_ceiling(sample, "corr", "index")
    return values


patterns = Dataset(rng.normal(size=(1000, 5000)))
median_of("rdm of 1000 conditions, 5000 channels, correlation", 3, lambda: calc_rdm(patterns, method="correlation"))
median_of("rdm of 1000 conditions, 5000 channels, sqeuclidean", 3, lambda: calc_rdm(patterns, method="euclidean"))
small = random_rdms(10, 300)
median_of("kendall tau-a of 10 rdms of 300 conditions", 1, lambda: compare(small, small, "tau-a"))
data, models = random_rdms(12, 62), random_rdms(3, 62).get_vectors()
models = [ModelFixed(str(index), model) for index, model in enumerate(models)]
for method in ("corr", "rho-a", "corr_cov"):
    median_of(
        f"eval_dual_bootstrap, 3 models, 12 subjects, 62 conditions, {method}, 100 draws (x10 for 1000)",
        1,
        lambda: eval_dual_bootstrap(models, data, method=method, N=100),
    )
draws = 100
median_of(f"dual bootstrap, geo-topological, {draws} draws (x10 for 1000)", 1, lambda: dual_bootstrap(draws))
count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
many = random_rdms(count, 1000)
for method in ("spearman", "rho-a", "cosine_cov", "cosine", "corr"):
    median_of(f"pairs of {count} rdms of 1000 conditions, {method}", 1, lambda: compare(many, many, method))
