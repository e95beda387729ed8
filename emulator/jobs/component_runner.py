"""Runs one Python function of a pipeline by Kubeflow's own executor, under this job's mount.

Run by path with the arguments of `kfp.dsl.executor_main`, in the job's own process. Kubeflow finds
an artifact's file under `/gcs/`; here that folder is `$GCS_MOUNT`.
"""

import importlib
import os


def main() -> None:
    """Returns when the function has, and its outputs are written."""
    os.environ["_KFP_RUNTIME"] = "true"
    types = importlib.import_module("kfp.dsl.types.artifact_types")
    types.__dict__["_GCS_LOCAL_MOUNT_PREFIX"] = os.environ["GCS_MOUNT"].rstrip("/") + "/"
    importlib.import_module("kfp.dsl.executor_main").executor_main()


if __name__ == "__main__":
    main()
