"""One training step of an MLP probe in PyTorch: a batch picked from the table, ReLU, dropout .9, Adam with L2."""
import time

import torch
from bench import SETTING, THREADS, answer, tensors
from probe import BATCH, keys, mlp, train

torch.set_num_threads(THREADS)
torch.manual_seed(1)
WIDTH, HIDDEN = SETTING["width"], SETTING["hidden"]

# The same weights and batches without dropout, whose masks no two libraries share.
checked = mlp(WIDTH, HIDDEN, None, 1)
checked.load_state_dict({name: torch.from_numpy(values) for name, values in tensors("weights").items()})
check = list(train(checked, torch.arange(3 * BATCH)))

ends = []
for _ in train(mlp(WIDTH, HIDDEN, 0.9, 1), torch.randperm(len(keys))):
    ends.append(time.perf_counter())
warm_up = 5
ms = [1000 * (ends[-1] - ends[warm_up - 1]) / (len(ends) - warm_up)]
answer(ms, check, f"PyTorch {torch.__version__.split('+')[0]}")
