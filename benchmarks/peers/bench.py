"""What every peer shares: the folder of inputs, the clock, the one line of JSON that a process answers with.

A peer is started as `python3 <peer>.py FOLDER THREADS`: FOLDER holds setting.json and the inputs that our side reads as
well, THREADS is what torch is told. OMP_WAIT_POLICY and the like come by the environment.
"""
import json
import os
import resource
import sys
import time

import numpy as np

FOLDER = sys.argv[1]
THREADS = int(sys.argv[2])

with open(f"{FOLDER}/setting.json") as file:
    SETTING = json.load(file)
# While the best number of threads is looked for, a shorter run will do.
if os.environ.get("BENCH_CALIBRATE"):
    SETTING.update(SETTING["calibrate"])


def array(name):
    return np.load(f"{FOLDER}/{name}.npy")


def tensors(name):
    """The tensors of a safetensors file by name: 8 bytes of header length, a JSON header, raw data. F32 only."""
    with open(f"{FOLDER}/{name}.safetensors", "rb") as file:
        raw = file.read()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    found = {}
    for key, entry in header.items():
        if key == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        found[key] = np.frombuffer(raw[begin:end], "<f4").reshape(entry["shape"]).copy()
    return found


def timed(run, warm_up=1, repeats=None):
    """Milliseconds of each of the repeats of `run`, after some that are not counted."""
    for _ in range(warm_up):
        run()
    times = []
    for _ in range(repeats or SETTING["repeats"]):
        begin = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - begin))
    return times


def answer(ms, check=(), version=""):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": ms, "mb": peak, "check": [float(x) for x in check], "version": version}))
