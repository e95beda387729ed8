"""Which rule answers which RPC: the list of what is emulated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request

from emulator.aiplatform import (
    batch_predictions,
    custom_jobs,
    data_items,
    dataset_exports,
    datasets,
    deployments,
    endpoints,
    imports,
    metadata_lineage,
    metadata_links,
    metadata_nodes,
    metadata_schemas,
    metadata_stores,
    model_changes,
    model_evaluations,
    model_exports,
    models,
    predictions,
    tensorboard_points,
    tensorboard_runs,
    tensorboards,
    training_pipelines,
    tuning_jobs,
)
from emulator.cloud import Cloud

Body = dict[str, Any]
Handler = Callable[[Cloud, Body], Body]
RawHandler = Callable[[Cloud, dict[str, str], Request], Awaitable[Body]]

HANDLERS: Mapping[str, Handler] = {
    "CreateDataset": datasets.create_dataset,
    "GetDataset": datasets.get_dataset,
    "ListDatasets": datasets.list_datasets,
    "UpdateDataset": datasets.update_dataset,
    "DeleteDataset": datasets.delete_dataset,
    "ImportData": imports.import_data,
    "ExportData": dataset_exports.export_data,
    "ListDataItems": data_items.list_data_items,
    "SearchDataItems": data_items.search_data_items,
    "ListAnnotations": data_items.list_annotations,
    "GetAnnotationSpec": data_items.get_annotation_spec,
    "CreateTrainingPipeline": training_pipelines.create_training_pipeline,
    "GetTrainingPipeline": training_pipelines.get_training_pipeline,
    "ListTrainingPipelines": training_pipelines.list_training_pipelines,
    "CancelTrainingPipeline": training_pipelines.cancel_training_pipeline,
    "DeleteTrainingPipeline": training_pipelines.delete_training_pipeline,
    "CreateCustomJob": custom_jobs.create_custom_job,
    "GetCustomJob": custom_jobs.get_custom_job,
    "ListCustomJobs": custom_jobs.list_custom_jobs,
    "CancelCustomJob": custom_jobs.cancel_custom_job,
    "DeleteCustomJob": custom_jobs.delete_custom_job,
    "CreateHyperparameterTuningJob": tuning_jobs.create_hyperparameter_tuning_job,
    "GetHyperparameterTuningJob": tuning_jobs.get_hyperparameter_tuning_job,
    "ListHyperparameterTuningJobs": tuning_jobs.list_hyperparameter_tuning_jobs,
    "CancelHyperparameterTuningJob": tuning_jobs.cancel_hyperparameter_tuning_job,
    "DeleteHyperparameterTuningJob": tuning_jobs.delete_hyperparameter_tuning_job,
    "CreateBatchPredictionJob": batch_predictions.create_batch_prediction_job,
    "GetBatchPredictionJob": batch_predictions.get_batch_prediction_job,
    "ListBatchPredictionJobs": batch_predictions.list_batch_prediction_jobs,
    "CancelBatchPredictionJob": batch_predictions.cancel_batch_prediction_job,
    "DeleteBatchPredictionJob": batch_predictions.delete_batch_prediction_job,
    "GetModel": models.get_model,
    "ListModels": models.list_models,
    "ListModelVersions": models.list_model_versions,
    "UploadModel": model_changes.upload_model,
    "UpdateModel": model_changes.update_model,
    "MergeVersionAliases": model_changes.merge_version_aliases,
    "DeleteModel": model_changes.delete_model,
    "DeleteModelVersion": model_changes.delete_model_version,
    "ExportModel": model_exports.export_model,
    "ImportModelEvaluation": model_evaluations.import_model_evaluation,
    "BatchImportModelEvaluationSlices": model_evaluations.batch_import_model_evaluation_slices,
    "ListModelEvaluations": model_evaluations.list_model_evaluations,
    "GetModelEvaluation": model_evaluations.get_model_evaluation,
    "ListModelEvaluationSlices": model_evaluations.list_model_evaluation_slices,
    "GetModelEvaluationSlice": model_evaluations.get_model_evaluation_slice,
    "CreateEndpoint": endpoints.create_endpoint,
    "GetEndpoint": endpoints.get_endpoint,
    "ListEndpoints": endpoints.list_endpoints,
    "UpdateEndpoint": endpoints.update_endpoint,
    "DeleteEndpoint": endpoints.delete_endpoint,
    "DeployModel": deployments.deploy_model,
    "UndeployModel": deployments.undeploy_model,
    **metadata_stores.HANDLERS,
    **metadata_schemas.HANDLERS,
    **metadata_nodes.HANDLERS,
    **metadata_links.HANDLERS,
    **metadata_lineage.HANDLERS,
    **tensorboards.HANDLERS,
    **tensorboard_runs.HANDLERS,
    **tensorboard_points.HANDLERS,
}

# These take the request's bytes as they came.
RAW_HANDLERS: Mapping[str, RawHandler] = {"Predict": predictions.predict}

# These stream messages: over HTTP a JSON list, here of one.
STREAMED = frozenset({"ReadTensorboardBlobData"})
