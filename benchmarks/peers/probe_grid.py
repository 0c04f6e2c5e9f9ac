"""The paper's 28 probe architectures in PyTorch, one after the other: one pass over the clips, then validation."""
import torch
from bench import SETTING, THREADS, answer, timed
from probe import embeddings, keys, mlp, train

torch.set_num_threads(THREADS)
torch.manual_seed(1)
DROPOUTS = (0.75, 0.9, 0.95, 0.99)
one = [(hidden, dropout, 1) for hidden in (1024, 2048, 4096, 8192) for dropout in DROPOUTS]
two = [(hidden, dropout, 2) for hidden in (1024, 2048, 4096) for dropout in DROPOUTS]
grid = [entry for entry in one + two if entry[0] <= SETTING["widest"]]
CLIPS = SETTING["clips"]
losses = []


def run():
    losses.clear()
    for entry in grid:
        model = mlp(SETTING["width"], *entry)
        of_steps = list(train(model, torch.randperm(CLIPS)))
        losses.append(sum(of_steps) / len(of_steps))
        with torch.no_grad():
            (model.eval()(embeddings[CLIPS:]).argmax(dim=1) == keys[CLIPS:]).float().mean().item()


ms = timed(run, warm_up=0)
answer(ms, [len(losses), sum(losses) / len(losses)], f"PyTorch {torch.__version__.split('+')[0]}")
