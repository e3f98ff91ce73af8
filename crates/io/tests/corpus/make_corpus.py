"""Makes the good and broken files of this folder, and `expected.json`: what peers read in the good ones.

Peers: numpy, safetensors, scipy, nibabel, pyedflib. Run from anywhere:

    python make_corpus.py

Everything is seeded, so that a second run changes nothing but pyedflib's recording dates.
"""

import gzip
import io
import json
import re
import struct
import wave
import zipfile
from datetime import datetime
from pathlib import Path

import nibabel
import numpy as np
import pyedflib
import safetensors.numpy
import scipy.io.wavfile

HERE = Path(__file__).parent
GOOD = HERE / "good"
BROKEN = HERE / "broken"
random = np.random.default_rng(20240611)
expected = {}


def plain(value):
    """JSON that keeps every float exactly, NaN and infinities as words."""
    if isinstance(value, (np.ndarray, list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (complex, np.complexfloating)):
        return [plain(float(value.real)), plain(float(value.imag))]
    if isinstance(value, (bool, np.bool_)):
        return float(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        value = float(value)
        return value if np.isfinite(value) else repr(value)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value)


def array_expected(array):
    return {"shape": list(array.shape), "values": plain(array.ravel())}


def good(name, content=None):
    path = GOOD / name
    if content is not None:
        path.write_bytes(content)
    return path


def broken(name, content):
    (BROKEN / name).write_bytes(content)


# ---------------------------------------------------------------- npy


def npy(header, data=b"", version=(1, 0), length=None):
    text = header.encode() + b"\n"
    size = len(text) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", size) + text + data


def header(descr="'<f8'", fortran="False", shape="(3,)"):
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)


def make_npy():
    arrays = {}
    for code in ["?", "i1", "u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8"]:
        dtype = np.dtype(code)
        if dtype.kind == "b":
            array = np.array([[True, False, True], [False, False, True]])
        else:
            limits = np.iinfo(dtype)
            low, high = max(limits.min, -(2**53)), min(limits.max, 2**53)
            array = np.array([[low, 0, 1], [high, 7, 42]], dtype=dtype)
        arrays[f"npy_{dtype.kind}{dtype.itemsize}_{'be' if code[0] == '>' else 'le'}"] = array
    for code in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "<c8", ">c8", "<c16", ">c16"]:
        dtype = np.dtype(code)
        array = random.standard_normal((2, 3)).astype(dtype)
        array[1, 1] = np.nan
        array[0, 2] = -np.inf
        array[1, 2] = np.finfo(dtype).tiny / 4  # a subnormal
        arrays[f"npy_{dtype.kind}{dtype.itemsize}_{'be' if code[0] == '>' else 'le'}"] = array
    arrays["npy_fortran"] = np.asfortranarray(random.standard_normal((3, 2, 4)))
    arrays["npy_scalar"] = np.array(3.25)
    arrays["npy_empty"] = np.zeros((0, 5), dtype="<f4")
    arrays["npy_words"] = np.array([["cat", "", "Zürich 中"], ["a", "bb", "x" * 9]])
    arrays["npy_bytes"] = np.array([b"ab", b"", b"\xe9t\xe9"])
    for name, array in arrays.items():
        np.save(GOOD / f"{name}.npy", array)
        expected[f"{name}.npy"] = array_expected(array)
    for version in [(2, 0), (3, 0)]:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.arange(4.0), version=version)
        good(f"npy_version{version[0]}.npy", buffer.getvalue())
        expected[f"npy_version{version[0]}.npy"] = array_expected(np.arange(4.0))

    whole = npy(header(), np.arange(3.0).tobytes())
    broken("npy_empty_file.npy", b"")
    broken("npy_magic.npy", b"\x93NUMPX" + whole[6:])
    broken("npy_pickle.npy", b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00K\x01.")
    broken("npy_version.npy", npy(header(), version=(4, 0)))
    broken("npy_truncated_header.npy", whole[:40])
    broken("npy_truncated_data.npy", whole[:-1])
    broken("npy_trailing.npy", whole + b"\0")
    broken("npy_header_length.npy", npy(header(), version=(2, 0), length=0xFFFFFFF0))
    broken("npy_shape_overflow.npy", npy(header(shape="(4294967296, 4294967296, 2)")))
    broken("npy_shape_huge.npy", npy(header(shape="(1000000000000000,)")))
    broken("npy_shape_negative.npy", npy(header(shape="(-3,)")))
    broken("npy_shape_digits.npy", npy(header(shape="(" + "9" * 40 + ",)")))
    broken("npy_axes.npy", npy(header(shape="(" + "1," * 65 + ")")))
    broken("npy_nested.npy", npy(header(shape="(" * 3000)))
    broken("npy_nested_descr.npy", npy(header(descr="[" * 3000)))
    broken("npy_object.npy", npy(header(descr="'|O'")))
    broken("npy_structured.npy", npy(header(descr="[('a', '<f8'), ('b', '<i4')]")))
    broken("npy_long_double.npy", npy(header(descr="'<f16'"), bytes(48)))
    broken("npy_date.npy", npy(header(descr="'<M8[ns]'"), bytes(24)))
    broken("npy_void.npy", npy(header(descr="'|V8'"), bytes(24)))
    broken("npy_dtype.npy", npy(header(descr="'<i3'"), bytes(9)))
    broken("npy_zero_width.npy", npy(header(descr="'<U0'", shape="(1000000000000,)")))
    broken("npy_not_a_character.npy", npy(header(descr="'<U1'", shape="(2,)"), struct.pack("<2I", 65, 0xD800)))
    broken("npy_key_twice.npy", npy("{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"))
    broken("npy_key_missing.npy", npy("{'descr': '<f8', 'shape': (1,), }"))
    broken("npy_not_a_dictionary.npy", npy("__import__('os').system('true')"))


# ---------------------------------------------------------------- npz


def archive(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as out:
        for name, content in members:
            out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return buffer.getvalue()


def make_npz():
    rates, labels = random.standard_normal((4, 3)), np.array(["a", "b", "c"])
    np.savez(GOOD / "npz_stored.npz", rates=rates, labels=labels)
    np.savez_compressed(GOOD / "npz_deflated.npz", rates=rates, labels=labels)
    for name in ["npz_stored.npz", "npz_deflated.npz"]:
        expected[name] = {"rates": array_expected(rates), "labels": array_expected(labels)}

    member = npy(header(), np.arange(3.0).tobytes())
    plain_zip = archive([("a.npy", member), ("b.npy", member)], zipfile.ZIP_STORED)
    broken("npz_truncated.npz", plain_zip[:-30])
    broken("npz_not_zip.npz", b"hello")
    broken("npz_checksum.npz", plain_zip.replace(np.arange(3.0).tobytes(), np.arange(3.0).tobytes()[:-1] + b"\x41", 1))
    broken("npz_bzip2.npz", archive([("a.npy", member)], zipfile.ZIP_BZIP2))
    broken("npz_lzma.npz", archive([("a.npy", member)], zipfile.ZIP_LZMA))
    zeros = npy(header(descr="'|u1'", shape="(%d,)" % (68 << 20)), bytes(68 << 20))
    broken("npz_bomb.npz", archive([("a.npy", zeros)]))
    # The directory says some bytes, the stream goes on to 1 MiB.
    lying = bytearray(archive([("a.npy", zeros[: 1 << 20])]))
    at = lying.rindex(b"PK\x01\x02")
    struct.pack_into("<I", lying, at + 24, len(member))
    broken("npz_lying_size.npz", bytes(lying))
    broken("npz_object.npz", archive([("a.npy", npy(header(descr="'|O'")))]))
    broken("npz_truncated_member.npz", archive([("a.npy", member[:-4])]))
    broken("npz_trailing_member.npz", archive([("a.npy", member + b"more")]))
    # Two names for one member, and two members with one name.
    two = archive([("a.npy", member), ("b.npy", member)], zipfile.ZIP_STORED)
    broken("npz_same_name.npz", two.replace(b"b.npy", b"a.npy"))
    overlapping = bytearray(two)
    second = overlapping.rindex(b"PK\x01\x02")
    struct.pack_into("<I", overlapping, second + 42, 0)
    broken("npz_overlapping.npz", bytes(overlapping))
    count = bytearray(two)
    struct.pack_into("<HH", count, len(count) - 22 + 8, 65535, 65535)
    broken("npz_member_count.npz", bytes(count))


# ---------------------------------------------------------------- text


def make_text():
    nan = float("nan")
    tables = {
        "csv_header.csv": ("name,rate,depth\ncat,1.5,-2\ndog,2,1e3\n", {"name": ["cat", "dog"], "rate": [1.5, 2.0], "depth": [-2.0, 1000.0]}),
        "csv_no_header.csv": ("1,2\r\n3,4.25\r\n", {"column 1": [1.0, 3.0], "column 2": [2.0, 4.25]}),
        "csv_mark.csv": ("\ufeffa,b\n1,2\n", {"a": [1.0], "b": [2.0]}),
        "csv_quotes.csv": ('"a, b","say ""hi"""\n"1","two\nlines"\n3,x\n', {"a, b": [1.0, 3.0], 'say "hi"': ["two\nlines", "x"]}),
        "csv_semicolon.csv": ("a;b\n0.5;1\n1.5;2\n", {"a": [0.5, 1.5], "b": [1.0, 2.0]}),
        "csv_decimal_comma.csv": ("a;b\n1,5;word\n-2;x\n1,25e2;y\n", {"a": [1.5, -2.0, 125.0], "b": ["word", "x", "y"]}),
        "csv_decimal_comma_bare.csv": ("1,5;2,5\n3,5;4\n", {"column 1": [1.5, 3.5], "column 2": [2.5, 4.0]}),
        # Where some decimals have a point, a comma stands for something else.
        "csv_both_decimals.csv": ("a;b\n1,234;0.5\n2;1.5\n", {"a": ["1,234", "2"], "b": [0.5, 1.5]}),
        "csv_missing.csv": ("a,b,c\n1,,x\n,NA,\nNaN,3,y\n", {"a": [1.0, nan, nan], "b": [nan, nan, 3.0], "c": ["x", "", "y"]}),
        "csv_late_word.csv": ("a,b\n1,1.0\n2,n3\n3,03\n", {"a": [1.0, 2.0, 3.0], "b": ["1.0", "n3", "03"]}),
        "csv_pandas.csv": (",0,1\n0,0.5,1.5\n1,2.5,3.5\n", {"column 1": [0.0, 1.0], "0": [0.5, 2.5], "1": [1.5, 3.5]}),
        "csv_blank.csv": ("1.0 2.0\n3.0 4.0\n", {"column 1": [1.0, 3.0], "column 2": [2.0, 4.0]}),
        "csv_one_column.csv": ("rate\n1\n2\n", {"rate": [1.0, 2.0]}),
        "csv_tabs.tsv": ("unit\tspikes\nu1\t3\nu2\t4\n", {"unit": ["u1", "u2"], "spikes": [3.0, 4.0]}),
    }
    for name, (text, columns) in tables.items():
        good(name, text.encode())
        expected[name] = {column: plain(values) for column, values in columns.items()}
    exact = random.standard_normal((5, 3)) * 10.0 ** random.integers(-300, 300, (5, 3))
    buffer = io.StringIO()
    np.savetxt(buffer, exact, fmt="%.17g", delimiter=",")
    good("csv_exact.csv", buffer.getvalue().encode())
    expected["csv_exact.csv"] = {f"column {i + 1}": plain(exact[:, i]) for i in range(3)}

    broken("csv_ragged.csv", b"a,b,c\n1,2,3\n4,5\n")
    broken("csv_ragged_blank_line.csv", b"a,b\n\n1,2\n\n3,4,5\n")
    broken("csv_zero_byte.csv", b"a,b\n1,\x00\n")
    broken("csv_utf16.csv", "a,b\n1,2\n".encode("utf-16"))
    broken("csv_latin1.csv", b"a,b\n1,caf\xe9\n")
    broken("csv_same_name.csv", b"a,a\n1,2\n")
    broken("csv_empty.csv", b"")


# ---------------------------------------------------------------- safetensors


def make_safetensors():
    tensors = {
        "weight": random.standard_normal((3, 4)).astype("<f4"),
        "bias": random.standard_normal(3),
        "steps": np.array([7], dtype="<i8"),
        "mask": np.array([[True, False]]),
        "half": random.standard_normal(4).astype("<f2"),
        "empty": np.zeros((0, 3), dtype="<f4"),
    }
    good("safetensors_mixed.safetensors", safetensors.numpy.save(tensors, metadata={"format": "np", "epoch": "3"}))
    expected["safetensors_mixed.safetensors"] = {name: array_expected(array) for name, array in tensors.items()}
    brain = np.array([1.0, -2.5, 3.140625, float("inf")], dtype="<f4")
    bits = (brain.view("<u4") >> 16).astype("<u2")
    good("safetensors_bf16.safetensors", tensor_file({"b": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}, bits.tobytes()))
    expected["safetensors_bf16.safetensors"] = {"b": array_expected(brain)}

    one = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    broken("safetensors_truncated.safetensors", tensor_file({"a": one}, bytes(7)))
    broken("safetensors_trailing.safetensors", tensor_file({"a": one}, bytes(9)))
    broken("safetensors_header_length.safetensors", struct.pack("<Q", 1 << 62) + b"{}")
    broken("safetensors_header_past_end.safetensors", struct.pack("<Q", 1000) + b"{}" + bytes(10))
    broken("safetensors_json.safetensors", struct.pack("<Q", 8) + b'{"a": [}')
    broken("safetensors_nested.safetensors", struct.pack("<Q", 4001) + b"{" + b'"a":[' * 800)
    broken("safetensors_shape.safetensors", tensor_file({"a": {**one, "shape": [3]}}, bytes(8)))
    broken("safetensors_shape_overflow.safetensors", tensor_file({"a": {**one, "shape": [1 << 62, 1 << 62]}}, bytes(8)))
    broken("safetensors_overlap.safetensors", tensor_file({"a": one, "b": {**one, "data_offsets": [4, 12]}}, bytes(12)))
    broken("safetensors_backwards.safetensors", tensor_file({"a": {**one, "data_offsets": [8, 0]}}, bytes(8)))
    broken("safetensors_same_name.safetensors", struct.pack("<Q", 118) + (
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}').ljust(118) + bytes(16))
    broken("safetensors_float8.safetensors", tensor_file({"a": {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]}}, bytes(8)))


def tensor_file(table, data):
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


# ---------------------------------------------------------------- wav


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def riff(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag=1, channels=1, rate=8000, width=2, bits=16, block=None):
    block = channels * width if block is None else block
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits))


def make_wav():
    shape = (20, 2)
    sounds = {
        "wav_u8.wav": random.integers(0, 256, shape).astype("u1"),
        "wav_i16.wav": random.integers(-32768, 32768, shape).astype("<i2"),
        "wav_i32.wav": random.integers(-(2**31), 2**31, shape).astype("<i4"),
        "wav_f32.wav": random.uniform(-1, 1, shape).astype("<f4"),
        "wav_f64.wav": random.uniform(-1, 1, shape),
    }
    for name, samples in sounds.items():
        scipy.io.wavfile.write(GOOD / name, 16000, samples)
    with wave.open(str(GOOD / "wav_i24.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(3)
        out.setframerate(44100)
        out.writeframes(random.bytes(60))
    samples = np.arange(-4, 4, dtype="<i2") * 1000
    odd = chunk(b"LIST", b"abc")  # an odd length, which is padded
    good("wav_odd_chunk.wav", riff(odd, fmt(), chunk(b"data", samples.tobytes()), odd))
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    extensible = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 12, 4) + guid
    good("wav_extensible.wav", riff(chunk(b"fmt ", extensible), chunk(b"data", samples.tobytes())))
    swapped = b"RIFX" + struct.pack(">I", 52) + b"WAVE" + b"fmt " + struct.pack(">IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    good("wav_rifx.wav", swapped + b"data" + struct.pack(">I", 16) + samples.astype(">i2").tobytes())
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 88, 16, 8, 0)
    good("wav_rf64.wav", b"RF64" + b"\xff" * 4 + b"WAVE" + sizes + fmt() + b"data" + b"\xff" * 4 + samples.tobytes())
    for path in sorted(GOOD.glob("wav_*.wav")):
        rate, samples = scipy.io.wavfile.read(path)
        samples = samples.reshape(len(samples), -1)
        scaled = {
            "u1": lambda raw: (raw.astype("f8") - 128) / 128,
            "i2": lambda raw: raw / 2.0**15,
            "i4": lambda raw: raw / 2.0**31,
        }.get(samples.dtype.str[1:], lambda raw: raw)(samples)
        expected[path.name] = {"rate": rate, **array_expected(np.asarray(scaled).astype("f4"))}

    data = chunk(b"data", samples.tobytes())
    whole = riff(fmt(), data)
    broken("wav_truncated_header.wav", whole[:20])
    broken("wav_truncated_data.wav", whole[:-3])
    broken("wav_no_format.wav", riff(data))
    broken("wav_no_data.wav", riff(fmt()))
    broken("wav_zero_channels.wav", riff(fmt(channels=0, block=2), data))
    broken("wav_zero_rate.wav", riff(fmt(rate=0), data))
    broken("wav_block.wav", riff(fmt(block=0), data))
    broken("wav_bits.wav", riff(fmt(bits=64), data))
    broken("wav_mu_law.wav", riff(fmt(tag=7, width=1, bits=8), data))
    broken("wav_chunk_size.wav", riff(b"LIST" + struct.pack("<I", 0xFFFFFFF0), fmt(), data))
    broken("wav_partial_frame.wav", riff(fmt(channels=3, width=2), data))
    broken("wav_many_chunks.wav", riff(*[chunk(b"junk", b"")] * 4097))
    broken("wav_nan.wav", riff(fmt(tag=3, width=4, bits=32), chunk(b"data", struct.pack("<2f", 0.0, float("nan")))))
    broken("wav_text.wav", b"not a sound at all")


# ---------------------------------------------------------------- nifti


def make_nifti():
    affine = np.array([[-2, 0.25, 0, 90], [0.1, 2, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1.0]])
    turn = nibabel.eulerangles.euler2mat(0.3, -0.2, 1.1)
    rigid = np.eye(4)
    rigid[:3, :3], rigid[:3, 3] = turn @ np.diag([1.5, 2.0, 3.0]), [5, -7, 9]

    def image(kind, dtype, shape, place=affine):
        dtype = np.dtype(dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            values = random.integers(max(limits.min, -(2**50)), min(limits.max, 2**50), shape, endpoint=True).astype(dtype)
        else:
            values = random.standard_normal(shape).astype(dtype)
        return kind(values, place, dtype=dtype)

    images = {}
    for code in ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]:
        images[f"nifti_{code}.nii"] = image(nibabel.Nifti1Image, code, (3, 2, 2))
    series = image(nibabel.Nifti1Image, "i2", (3, 4, 2, 5))
    series.header["pixdim"][4] = 1500
    series.header.set_xyzt_units("mm", "msec")
    images["nifti_series.nii.gz"] = series
    scaled = image(nibabel.Nifti1Image, "i2", (3, 3, 2))
    images["nifti_scaled.nii"] = scaled
    two = image(nibabel.Nifti2Image, "f4", (2, 3, 4))
    two.header.set_xyzt_units("mm", "sec")
    two.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, b"made by a test"))
    images["nifti_version2.nii"] = two
    rotated = image(nibabel.Nifti1Image, "f4", (2, 3, 4), rigid)
    rotated.set_sform(None, 0)
    rotated.set_qform(rigid, 1)
    images["nifti_rotated.nii"] = rotated
    mirrored = image(nibabel.Nifti2Image, "f4", (2, 3, 4), rigid @ np.diag([1, 1, -1, 1.0]))
    mirrored.set_sform(None, 0)
    mirrored.set_qform(rigid @ np.diag([1, 1, -1, 1.0]), 1)
    images["nifti_mirrored.nii"] = mirrored
    bare = nibabel.Nifti1Image(random.standard_normal((3, 2, 4)).astype("f4"), None)
    bare.header.set_zooms((1.0, 2.0, 3.0))
    images["nifti_bare.nii"] = bare
    for name, made in images.items():
        if name == "nifti_scaled.nii":
            made.header.set_slope_inter(0.0125, -3.5)
        nibabel.save(made, GOOD / name)
    # Big-endian: the header swaps with its data.
    for kind, name in [(nibabel.Nifti1Header, "nifti_big_endian.nii"), (nibabel.Nifti2Header, "nifti_version2_big_endian.nii")]:
        head = kind(endianness=">")
        head.set_data_dtype(">i2")
        head.set_data_shape((2, 2, 3))
        head.set_sform(affine, 2)
        head["magic"] = b"n+1" if kind is nibabel.Nifti1Header else b"n+2"
        head["vox_offset"] = 352 if kind is nibabel.Nifti1Header else 544
        values = random.integers(-9999, 9999, 12).astype(">i2")
        good(name, head.binaryblock + b"\0\0\0\0" + values.tobytes())
    pair = nibabel.Nifti1Pair(random.standard_normal((2, 2, 2)).astype("f4"), affine)
    nibabel.save(pair, GOOD / "nifti_pair.img")
    for path in sorted(GOOD.glob("nifti_*")):
        if path.suffix == ".img":
            continue
        loaded = nibabel.load(path)
        expected[path.name] = {
            "affine": plain(loaded.affine[:3]),
            "zooms": plain(loaded.header.get_zooms()),
            "shape": list(loaded.shape),
            "values": plain(loaded.get_fdata().ravel()),
        }

    whole = (GOOD / "nifti_i2.nii").read_bytes()

    def patched(at, layout, *values, base=whole):
        copy = bytearray(base)
        struct.pack_into("<" + layout, copy, at, *values)
        return bytes(copy)

    broken("nifti_truncated_header.nii", whole[:300])
    broken("nifti_truncated_data.nii", whole[:-1])
    broken("nifti_size.nii", patched(0, "i", 349))
    broken("nifti_magic.nii", patched(344, "4s", b"n+7\0"))
    broken("nifti_analyze.hdr", patched(344, "4s", b"\0\0\0\0")[:348])
    broken("nifti_axes.nii", patched(40, "h", 9))
    broken("nifti_dim_negative.nii", patched(42, "h", -3))
    broken("nifti_dim_huge.nii", patched(40, "8h", 7, *[32767] * 7))
    broken("nifti_datatype.nii", patched(70, "h", 77))
    broken("nifti_colours.nii", patched(70, "h", 128))
    broken("nifti_offset_nan.nii", patched(108, "f", float("nan")))
    broken("nifti_offset_low.nii", patched(108, "f", 100.0))
    broken("nifti_offset_far.nii", patched(108, "f", 1e12))
    broken("nifti_intercept.nii", patched(112, "2f", 2.0, float("inf")))
    broken("nifti_spacing.nii", patched(80, "f", float("nan")))
    broken("nifti_sform.nii", patched(280, "f", float("nan")))
    broken("nifti_rotation.nii", patched(252, "hh3f", 1, 0, 5.0, 5.0, 5.0))
    broken("nifti_pair_alone.hdr", patched(344, "4s", b"ni1\0")[:348])
    extended = (GOOD / "nifti_version2.nii").read_bytes()
    broken("nifti_extension_size.nii", patched(544, "i", 2**31 - 16, base=extended))
    broken("nifti_dim_overflow2.nii", patched(16, "4q", 3, 1 << 40, 1 << 40, 1 << 40, base=extended))
    broken("nifti_truncated.nii.gz", (GOOD / "nifti_series.nii.gz").read_bytes()[:-40])
    corrupt = bytearray((GOOD / "nifti_series.nii.gz").read_bytes())
    corrupt[-6] ^= 1
    broken("nifti_checksum.nii.gz", bytes(corrupt))
    broken("nifti_lying.nii.gz", gzip.compress(patched(40, "8h", 4, 2000, 2000, 2000, 100, 1, 1, 1), mtime=0))


# ---------------------------------------------------------------- edf


def make_edf():
    when = datetime(2011, 4, 9, 10, 30, 0)

    def write(name, kind, binary=False):
        limit = 8388607 if binary else 32767
        signals = [
            {"label": "EEG Cz", "dimension": "uV", "sample_frequency": 20, "physical_max": 187.5, "physical_min": -187.5,
             "digital_max": limit, "digital_min": -limit - 1, "transducer": "AgAgCl", "prefilter": "HP:0.1Hz"},
            {"label": "EEG Pz", "dimension": "uV", "sample_frequency": 20, "physical_max": 200, "physical_min": -200,
             "digital_max": 2047, "digital_min": -2048, "transducer": "AgAgCl", "prefilter": ""},
            {"label": "Temp", "dimension": "degC", "sample_frequency": 4, "physical_max": 40, "physical_min": 30,
             "digital_max": 1000, "digital_min": -1000, "transducer": "", "prefilter": ""},
        ]
        with pyedflib.EdfWriter(str(GOOD / name), len(signals), file_type=kind) as out:
            out.setSignalHeaders(signals)
            out.setStartdatetime(when)
            out.setPatientName("Nobody")
            data = [random.uniform(s["physical_min"], s["physical_max"], 3 * s["sample_frequency"]) for s in signals]
            out.writeSamples(data)
            if kind in (pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDFPLUS):
                out.writeAnnotation(0.5, -1, "stimulus")
                out.writeAnnotation(1.25, 0.75, "sleep spindle ü")

    write("edf_plain.edf", pyedflib.FILETYPE_EDF)
    write("edf_plus.edf", pyedflib.FILETYPE_EDFPLUS)
    write("bdf_plain.bdf", pyedflib.FILETYPE_BDF, True)
    write("bdf_plus.bdf", pyedflib.FILETYPE_BDFPLUS, True)
    # A recording that begins within a second, and one whose numbers leave their digital range.
    late = bytearray((GOOD / "edf_plus.edf").read_bytes())
    for record in range(3):
        begin, end = 1280 + 202 * record + 88, 1280 + 202 * (record + 1)
        notes = re.sub(rb"\+([0-9.]+)(?=[\x14\x15])", lambda m: b"+%.6f" % (float(m[1]) + 0.394531), bytes(late[begin:end]))
        late[begin:end] = notes[: end - begin]
    good("edf_subsecond.edf", bytes(late))
    plain_file = (GOOD / "edf_plain.edf").read_bytes()
    at = 256 + 128 * 3
    good("edf_out_of_range.edf", plain_file[:at] + b"9000    " + plain_file[at + 8:])
    for path in sorted(GOOD.glob("*df_*.?df")):
        with pyedflib.EdfReader(str(path)) as loaded:
            onsets, durations, texts = loaded.readAnnotations()
            expected[path.name] = {
                "labels": loaded.getSignalLabels(),
                "rates": plain(loaded.getSampleFrequencies()),
                "units": [loaded.getPhysicalDimension(i) for i in range(loaded.signals_in_file)],
                "digital": [plain(loaded.readSignal(i, digital=True)) for i in range(loaded.signals_in_file)],
                "physical": [plain(loaded.readSignal(i)) for i in range(loaded.signals_in_file)],
                "annotations": [plain(item) for item in zip(onsets, durations, texts)],
                "start": loaded.getStartdatetime().replace(microsecond=0).isoformat(),
            }
    # EDF+D, which pyedflib does not read: the third record begins 7.5 s late.
    gaps = (GOOD / "edf_plus.edf").read_bytes().replace(b"EDF+C", b"EDF+D", 1)
    gaps = gaps.replace(b"+2\x14\x14\0\0\0\0", b"+9.5\x14\x14\0\0", 1)
    good("edf_gaps.edf", gaps)
    unfinished = bytearray((GOOD / "edf_plain.edf").read_bytes())
    unfinished[236:244] = b"-1      "
    good("edf_unfinished.edf", bytes(unfinished))

    whole = (GOOD / "edf_plus.edf").read_bytes()

    def patched(at, text, base=whole):
        return base[:at] + text + base[at + len(text):]

    signals = 4
    broken("edf_truncated_header.edf", whole[:700])
    broken("edf_truncated_data.edf", whole[:-1])
    broken("edf_more_records.edf", patched(236, b"99999999"))
    broken("edf_fewer_records.edf", patched(236, b"1       "))
    broken("edf_records_negative.edf", patched(236, b"-2      "))
    broken("edf_records_word.edf", patched(236, b"many    "))
    broken("edf_header_bytes.edf", patched(184, b"256     "))
    broken("edf_signal_count.edf", patched(252, b"0   "))
    broken("edf_signal_count_word.edf", patched(252, b"\x00\xff\x01 "))
    broken("edf_signal_count_huge.edf", patched(184, b"2560000 ", patched(252, b"9999")))
    broken("edf_duration.edf", patched(244, b"-1      "))
    broken("edf_duration_zero.edf", patched(244, b"0       "))
    broken("edf_duration_nan.edf", patched(244, b"nan     "))
    broken("edf_comma.edf", patched(256 + 104 * signals, b"-187,5  "))
    broken("edf_physical_range.edf", patched(256 + 112 * signals, b"-187.5  "))
    broken("edf_digital_range.edf", patched(256 + 128 * signals, b"-32768  "))
    broken("edf_samples_zero.edf", patched(256 + 216 * signals, b"0       "))
    broken("edf_samples_huge.edf", patched(256 + 216 * signals, b"99999999"))
    broken("edf_no_onset.edf", whole.replace(b"+1\x14\x14", b"x1\x14\x14", 1))
    broken("edf_onset_backwards.edf", whole.replace(b"+2\x14\x14\0\0", b"+0.5\x14\x14", 1))
    broken("edf_annotation.edf", whole.replace(b"+1.25", b"+1.2x", 1))
    broken("edf_version.edf", patched(0, b"1       "))
    broken("bdf_truncated_data.bdf", (GOOD / "bdf_plain.bdf").read_bytes()[:-3])


if __name__ == "__main__":
    for folder in (GOOD, BROKEN):
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    make_npy()
    make_npz()
    make_text()
    make_safetensors()
    make_wav()
    make_nifti()
    make_edf()
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(expected.items()))
    (HERE / "expected.json").write_text("{\n" + lines + "\n}\n")
