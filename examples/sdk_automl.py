"""An image classifier with Google's own SDKs alone, against Google or the local Google Cloud.

    python -m emulator serve --port 8099 --data /tmp/cloud   # in one terminal
    set -a; . /tmp/cloud/env; set +a                         # in another
    python examples/sdk_automl.py --api-endpoint http://127.0.0.1:8099 --photos my-photos

`--photos` is a folder per class. Without `--api-endpoint` the same script speaks to Google,
and costs what Google asks.
"""

import argparse
import base64
import csv
import io
from pathlib import Path

from google.cloud import aiplatform, storage


def upload_photos(bucket: storage.Bucket, folder: Path) -> str:
    """The gs:// address of an import file (CSV) that names every uploaded photo and its label."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    for path in sorted(folder.glob("*/*.*")):
        blob = bucket.blob(f"photos/{path.parent.name}/{path.name}")
        blob.upload_from_filename(str(path))
        label = path.parent.name.replace("-", "_")
        label = label if label[0].isalpha() else f"label_{label}"
        writer.writerow([f"gs://{bucket.name}/{blob.name}", label])
    import_file = bucket.blob("import.csv")
    import_file.upload_from_string(rows.getvalue(), content_type="text/csv")
    return f"gs://{bucket.name}/{import_file.name}"


def train_model(import_file: str) -> tuple[aiplatform.ImageDataset, aiplatform.Model]:
    """A filled data set and the AutoML model trained on it (8 node hours, the smallest budget)."""
    dataset = aiplatform.ImageDataset.create(
        display_name="photos",
        gcs_source=import_file,
        import_schema_uri=aiplatform.schema.dataset.ioformat.image.single_label_classification,
    )
    job = aiplatform.AutoMLImageTrainingJob(
        display_name="photos-automl", prediction_type="classification"
    )
    model = job.run(
        dataset=dataset,
        model_display_name="photos-model",
        budget_milli_node_hours=8000,
        training_fraction_split=0.8,
        validation_fraction_split=0.1,
        test_fraction_split=0.1,
    )
    return dataset, model


def print_evaluation(model: aiplatform.Model) -> None:
    """Print the area under the precision-recall curve, over all labels."""
    for evaluation in model.list_model_evaluations():
        metrics = evaluation.to_dict()["metrics"]
        print(f"auPrc {metrics['auPrc']:.3f}")


def predict_photo(endpoint: aiplatform.Endpoint, photo: Path) -> str:
    """The label that the deployed model gives to `photo`."""
    content = base64.b64encode(photo.read_bytes()).decode("ascii")
    answer = endpoint.predict(
        instances=[{"content": content}],
        parameters={"confidenceThreshold": 0.0, "maxPredictions": 3},
    )
    prediction = answer.predictions[0]
    for label, confidence in zip(
        prediction["displayNames"], prediction["confidences"], strict=True
    ):
        print(f"{photo.name}: {label} {confidence:.3f}")
    return str(prediction["displayNames"][0])


def main() -> None:
    """Import, train, evaluate, deploy, predict, and delete everything that was made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", default="sdk-sample")
    parser.add_argument("--location", default="us-central1")
    parser.add_argument("--api-endpoint")
    parser.add_argument("--bucket", default="sdk-sample-photos")
    parser.add_argument("--photos", type=Path, required=True)
    options = parser.parse_args()

    bucket = storage.Client(project=options.project).create_bucket(
        options.bucket, location=options.location
    )
    aiplatform.init(
        project=options.project,
        location=options.location,
        staging_bucket=f"gs://{options.bucket}",
        api_endpoint=options.api_endpoint,
        api_transport="rest",
    )
    dataset, model = train_model(upload_photos(bucket, options.photos))
    print_evaluation(model)
    endpoint = model.deploy(deployed_model_display_name="photos-model")
    photo = sorted(options.photos.glob("*/*.*"))[0]
    print(f"predicted {predict_photo(endpoint, photo)} for a photo of {photo.parent.name}")

    endpoint.delete(force=True)
    model.delete()
    dataset.delete()
    # `delete(force=True)` refuses a bucket of more than 256 objects.
    bucket.delete_blobs(list(bucket.list_blobs()))
    bucket.delete()
    print("deleted endpoint, model, dataset and bucket")


if __name__ == "__main__":
    main()
