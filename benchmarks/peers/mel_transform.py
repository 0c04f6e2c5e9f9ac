"""The mel spectrogram of the paper's setting in torchaudio."""
import torchaudio


def mel_transform():
    return torchaudio.transforms.MelSpectrogram(
        16000, n_fft=2048, hop_length=512, f_min=0, f_max=8000, n_mels=128, norm="slaney", mel_scale="slaney"
    )
