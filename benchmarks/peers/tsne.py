"""t-SNE of scikit-learn: Barnes-Hut, PCA initialisation, all cores. Leaves its map beside the inputs."""
import numpy as np
import sklearn
from bench import FOLDER, SETTING, answer, array, timed
from sklearn.manifold import TSNE

points = array("points")


def run():
    tsne = TSNE(
        perplexity=SETTING["perplexity"],
        n_iter=SETTING["iterations"],
        init="pca",
        learning_rate="auto",
        method="barnes_hut",
        n_jobs=-1,
        random_state=1,
    )
    np.save(f"{FOLDER}/peer-map.npy", tsne.fit_transform(points).astype("float32"))


answer(timed(run, warm_up=0), version=f"scikit-learn {sklearn.__version__}")
