"""Features of photos by a Keras backbone, a batch at a time (`trainer.embed.Reader`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from trainer.data.decode import square_of_file
from trainer.data.resize import Pixels
from trainer.embed import View
from trainer.imports import tensorflow
from trainer.models.keras_backbone import Backbone
from trainer.models.network import Floats, Network

READ_AT_ONCE = 16
READERS = 2


class KerasReader:
    """Reads photos from disk into features of one backbone."""

    def __init__(self, backbone: Backbone) -> None:
        tf, side = tensorflow(), backbone.size
        self.backbone = backbone
        # Says what the features are of; its layers are the backbone's, which are no arrays.
        self.network = Network(backbone.name, side, 0.0, 1.0, ())
        spec = tf.TensorSpec((None, side, side, 3), tf.float32)
        self._embed = tf.function(backbone.embedding, input_signature=[spec], autograph=False)

    def embed(
        self,
        paths: Sequence[Path],
        views: Sequence[View],
        listen: Callable[[int, int], None] = lambda *_: None,
        keep_going: Callable[[], bool] = lambda: True,
    ) -> Floats:
        """Features `(photos, views, width)` of the files; see `Embedder.embed`."""
        width = int(self.backbone.base.output_shape[-1])
        parts = [np.zeros((0, len(views[0]) if views else 1, width), np.float32)]
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(paths), READ_AT_ONCE):
                if not keep_going():
                    break
                some = slice(start, start + READ_AT_ONCE)
                squares = pool.map(
                    lambda path: square_of_file(path, self.backbone.size), paths[some]
                )
                parts.append(self._some(list(squares), views[some]))
                listen(min(start + READ_AT_ONCE, len(paths)), len(paths))
        return np.concatenate(parts)

    def _some(self, squares: Sequence[Pixels], views: Sequence[View]) -> Floats:
        each = [
            square[:, ::-1] if mirrored else square
            for square, taken in zip(squares, views, strict=True)
            for mirrored in taken
        ]
        rows: Floats = self._embed(np.stack(each).astype(np.float32)).numpy()
        return rows.reshape(len(squares), -1, rows.shape[-1])
