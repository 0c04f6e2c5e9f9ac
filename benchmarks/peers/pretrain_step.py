"""A pretraining step in PyTorch: clips drawn, visible patches gathered from the tracks' mel spectrograms, encoder,
mlp-128-128 head, NT-Xent, clipped gradients, AdamW; the loss is read after each step, as ours is."""
import torch
import torch.nn.functional as F
from bench import SETTING, THREADS, answer, array, tensors, timed
from simple_vit import BANDS, FRAMES, SimpleViT, load
from torch import nn

torch.set_num_threads(THREADS)
torch.manual_seed(1)
WIDTH, PAIRS, CLIP_FRAMES = SETTING["width"], SETTING["pairs"], SETTING["clipFrames"]
VIEWS, TOKENS, TEMPERATURE = 2 * PAIRS, CLIP_FRAMES // FRAMES, 0.1


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = SimpleViT(WIDTH, SETTING["depth"], CLIP_FRAMES)
        self.projection_head = nn.Sequential(nn.Linear(WIDTH, 128), nn.ReLU(), nn.Linear(128, 128))

    def forward(self, patches, kept):
        return self.projection_head(self.encoder(patches, kept))


mels = torch.from_numpy(array("mels"))  # [tracks, bands, frames]
weights = {
    (name if name.startswith("projection_head.") else f"encoder.{name}"): values
    for name, values in tensors("weights").items()
}
model = load(Model(), weights)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
itself = torch.eye(VIEWS, dtype=torch.bool)
partner = torch.arange(VIEWS).roll(PAIRS)
within_patch = torch.arange(FRAMES)


def gather(tracks, starts, kept):
    """tracks [views], starts [views], kept [views, n] -> patches [views, n, 256], frequency-major inside a patch"""
    frames = (starts[:, None] + FRAMES * kept)[:, :, None] + within_patch
    return mels[tracks[:, None, None], :, frames].transpose(2, 3).reshape(VIEWS, -1, BANDS * FRAMES)


def step(tracks, starts, kept):
    z = F.normalize(model(gather(tracks, starts, kept), kept))
    similarities = (z @ z.T / TEMPERATURE).masked_fill(itself, -1e9)
    loss = F.cross_entropy(similarities, partner)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def random_step():
    """Both views of a pair from one clip, an own mask for each view."""
    tracks = torch.randperm(len(mels))[:PAIRS].repeat(2)
    starts = torch.randint(mels.shape[2] - CLIP_FRAMES + 1, (PAIRS,)).repeat(2)
    kept = torch.rand(VIEWS, TOKENS).argsort(dim=1)[:, : SETTING["visible"]].sort(dim=1).values
    step(tracks, starts, kept)


given = [torch.from_numpy(array(name).astype("int64")) for name in ("batch_tracks", "batch_starts", "batch_kept")]
check = [step(*batch) for batch in zip(*given)]
answer(timed(random_step), check, f"PyTorch {torch.__version__.split('+')[0]}")
