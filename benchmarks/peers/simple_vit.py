"""SimpleViT on vertical patches (128 mel bands x 2 frames) in PyTorch, under the parameter names of our checkpoints."""

import torch
from torch import nn

BANDS, FRAMES = 128, 2


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.to_out = nn.Linear(width, width, bias=False)

    def forward(self, x):
        clips, n, width = x.shape
        split = (t.view(clips, n, self.heads, -1).transpose(1, 2) for t in self.to_qkv(self.norm(x)).chunk(3, dim=-1))
        q, k, v = split
        weights = (q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(dim=-1)
        return self.to_out((weights @ v).transpose(1, 2).reshape(clips, n, width))


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        return self.net(x)


class Transformer(nn.Module):
    def __init__(self, width, depth, heads):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(
            [nn.ModuleList([Attention(width, heads), FeedForward(width)]) for _ in range(depth)]
        )

    def forward(self, x):
        for attention, feed_forward in self.layers:
            x = attention(x) + x
            x = feed_forward(x) + x
        return self.norm(x)


class SimpleViT(nn.Module):
    def __init__(self, width, depth, clip_frames):
        super().__init__()
        patch = BANDS * FRAMES
        # In the reference the first entry is a Rearrange, so the parameters count from 1.
        self.to_patch_embedding = nn.Sequential(
            nn.Identity(), nn.LayerNorm(patch), nn.Linear(patch, width), nn.LayerNorm(width)
        )
        self.transformer = Transformer(width, depth, width // 64)
        self.register_buffer("positions", positions(clip_frames // FRAMES, width), persistent=False)

    def forward(self, patches, kept=None):
        """patches [clips, n, 256], kept [clips, n] token ids (None: all tokens in order) -> [clips, width]"""
        x = self.to_patch_embedding(patches)
        return self.transformer(x + (self.positions if kept is None else self.positions[kept])).mean(dim=1)


def positions(columns, width):
    """sincos2d of a grid of one row: [sin x, cos x, sin y, cos y] with y = 0."""
    quarter = width // 4
    omega = 1 / 10000 ** (torch.arange(quarter) / (quarter - 1))
    angles = torch.arange(columns)[:, None] * omega[None]
    zeros = torch.zeros_like(angles)
    return torch.cat([angles.sin(), angles.cos(), zeros.sin(), zeros.cos()], dim=1)


def load(module, arrays):
    """Copies named arrays into the module; every parameter must be there."""
    state = {name: torch.from_numpy(values) for name, values in arrays.items()}
    module.load_state_dict({name: state[name] for name in module.state_dict()})
    return module
