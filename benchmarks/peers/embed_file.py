"""From a stereo wav file to its embedding table in PyTorch and torchaudio: load, mono, 16 kHz, mel, clips, encoder."""
import time

import torch
import torchaudio
from bench import FOLDER, SETTING, THREADS, answer, tensors, timed
from mel_transform import mel_transform
from simple_vit import BANDS, FRAMES, SimpleViT, load

torch.set_num_threads(THREADS)
CLIP_FRAMES = 196
encoder = load(SimpleViT(SETTING["width"], SETTING["depth"], CLIP_FRAMES), tensors("weights")).eval()
resample = torchaudio.transforms.Resample(44100, 16000)
mel = mel_transform()


@torch.no_grad()
def clips_of_file():
    wave, _ = torchaudio.load(f"{FOLDER}/audio.wav")
    power = mel(resample(wave.mean(dim=0)))
    count = power.shape[1] // CLIP_FRAMES
    columns = CLIP_FRAMES // FRAMES
    cut = power[:, : count * CLIP_FRAMES].reshape(BANDS, count, columns, FRAMES)
    return cut.permute(1, 2, 0, 3).reshape(count, columns, BANDS * FRAMES)


@torch.no_grad()
def embed(clips, batch):
    return torch.cat([encoder(part) for part in clips.split(batch)])


def seconds(run):
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


clips = clips_of_file()
few = clips[:32]
embed(few, 8)
batch = min((4, 8, 16, 32), key=lambda size: seconds(lambda: embed(few, size)))
table = embed(clips_of_file(), batch)
check = [*table.shape, table.abs().mean(), *table[0, :16], *table[-1, -16:]]
ms = timed(lambda: embed(clips_of_file(), batch))
answer(ms, check, f"PyTorch {torch.__version__.split('+')[0]}, torchaudio {torchaudio.__version__}, batches of {batch}")
