locals {
  # quotaId = use, then accelerator, then PerProjectPerRegion. The parts as
  # Google's notebooks have them: GoogleCloudPlatform/vertex-ai-samples,
  # notebooks/community/model_garden/docker_source_codes/notebook_util/common_util.py,
  # read 2026-11-22. They differ over B200, which is left out.
  gpus = {
    NVIDIA_A100_80GB      = "A10080GBGPUs"
    NVIDIA_H100_80GB      = "H100GPUs"
    NVIDIA_H100_MEGA_80GB = "H100MEGAGPUs"
    NVIDIA_H200_141GB     = "H200GPUs"
    NVIDIA_L4             = "L4GPUs"
    NVIDIA_TESLA_A100     = "A100GPUs"
    NVIDIA_TESLA_P100     = "P100GPUs"
    NVIDIA_TESLA_T4       = "T4GPUs"
    NVIDIA_TESLA_V100     = "V100GPUs"
  }
  uses = {
    serving       = "CustomModelServing"
    spot-training = "CustomModelTrainingPreemptible"
    training      = "CustomModelTraining"
  }
  regions = {
    for key, one in var.requests : key => coalesce(one.region, var.region)
  }
  # Google has one request for a quota and region, and never deletes it: named by
  # these, it is found whichever stack asked first. At most 63 characters.
  names = {
    for key, one in var.requests : key => join("-", [
      "ops", one.use, local.short[one.gpu], local.regions[key]
    ])
  }
  # NVIDIA_TESLA_T4: t4.
  short = {
    for gpu in keys(local.gpus) : gpu => replace(
      replace(lower(gpu), "/^nvidia_(tesla_)?/", ""), "_", "-"
    )
  }
}

resource "google_cloud_quotas_quota_preference" "this" {
  for_each = var.requests

  parent  = "projects/${var.project_id}"
  name    = local.names[each.key]
  service = "aiplatform.googleapis.com"
  quota_id = join("", [
    local.uses[each.value.use], local.gpus[each.value.gpu],
    "PerProjectPerRegion"
  ])
  dimensions    = { region = local.regions[each.key] }
  contact_email = var.contact_email
  justification = "Image classification: ${each.value.use}"

  quota_config {
    preferred_value = tostring(each.value.count)
  }

  lifecycle {
    # Provider issues 19202, 21935: Google may word the reason anew, and refuses
    # a change of it. The first is how a request is sent, and is never read; a
    # request that somebody else named keeps its name.
    ignore_changes = [ignore_safety_checks, justification, name]
  }
}
