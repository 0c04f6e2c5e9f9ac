"""The mel spectrogram of many minutes in torchaudio."""
import torch
import torchaudio
from bench import THREADS, answer, array, timed
from mel_transform import mel_transform

torch.set_num_threads(THREADS)
samples = torch.from_numpy(array("samples"))
mel = mel_transform()
with torch.no_grad():
    power = mel(samples)
    ms = timed(lambda: mel(samples))
answer(ms, [*power.shape, *power.double().sum(dim=1).log()], f"torchaudio {torchaudio.__version__}")
