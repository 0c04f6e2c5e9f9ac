"""MLP probes in PyTorch and how they are trained."""
import torch
import torch.nn.functional as F
from bench import array
from torch import nn

BATCH = 64
KEYS = 24
embeddings = torch.from_numpy(array("embeddings"))
keys = torch.from_numpy(array("keys").astype("int64"))


def mlp(width, hidden, dropout, layers):
    """Linear + ReLU, then dropout after the first of one or two equal layers, then Linear(24)."""
    parts = [nn.Linear(width, hidden), nn.ReLU()]
    if dropout is not None:
        parts.append(nn.Dropout(dropout))
    if layers == 2:
        parts += [nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(hidden, KEYS))


def train(model, order):
    """One pass over the clips in this order; yields the loss of every step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4, weight_decay=1e-5)
    for clips in order.split(BATCH):
        loss = F.cross_entropy(model(embeddings[clips]), keys[clips])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()
