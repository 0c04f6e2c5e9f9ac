"""t-SNE of scikit-learn: Barnes-Hut, PCA initialisation. Leaves its map beside the inputs."""
import os

from bench import FOLDER, SETTING, THREADS, answer, array, timed

# Its gradient takes its threads from OpenMP, which reads this when it is loaded; n_jobs is for the neighbours only.
os.environ["OMP_NUM_THREADS"] = str(THREADS)
import numpy as np
import sklearn
from sklearn.manifold import TSNE

points = array("points")


def run():
    tsne = TSNE(
        perplexity=SETTING["perplexity"],
        n_iter=SETTING["iterations"],
        init="pca",
        learning_rate="auto",
        method="barnes_hut",
        n_jobs=THREADS,
        random_state=1,
    )
    np.save(f"{FOLDER}/peer-map.npy", tsne.fit_transform(points).astype("float32"))


answer(timed(run, warm_up=0), version=f"scikit-learn {sklearn.__version__}")
