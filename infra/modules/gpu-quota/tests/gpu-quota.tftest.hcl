# Covers: the quota of each use, names, regions, requests that are none.
mock_provider "google" {}

variables {
  contact_email = "ada@example.com"
  project_id    = "test-project"
  region        = "us-central1"
}

run "nothing_unless_asked" {
  command = plan

  assert {
    condition     = length(google_cloud_quotas_quota_preference.this) == 0
    error_message = "A quota is asked for that nobody wanted."
  }
}

run "each_use_has_its_quota" {
  command = plan

  variables {
    requests = {
      serving  = { gpu = "NVIDIA_L4", use = "serving", count = 1 }
      spot     = { gpu = "NVIDIA_TESLA_T4", use = "spot-training", count = 2 }
      training = { gpu = "NVIDIA_TESLA_T4", use = "training", count = 1 }
    }
  }

  assert {
    condition     = output.quota_ids.serving == "CustomModelServingL4GPUsPerProjectPerRegion"
    error_message = "Received: ${output.quota_ids.serving}"
  }

  assert {
    condition     = output.quota_ids.spot == "CustomModelTrainingPreemptibleT4GPUsPerProjectPerRegion"
    error_message = "Received: ${output.quota_ids.spot}"
  }

  assert {
    condition     = output.quota_ids.training == "CustomModelTrainingT4GPUsPerProjectPerRegion"
    error_message = "Received: ${output.quota_ids.training}"
  }

  assert {
    condition     = google_cloud_quotas_quota_preference.this["spot"].name == "ops-spot-training-t4-us-central1"
    error_message = "Received: ${google_cloud_quotas_quota_preference.this["spot"].name}"
  }
}

run "a_region_of_its_own" {
  command = plan

  variables {
    requests = {
      here  = { gpu = "NVIDIA_L4", use = "serving", count = 1 }
      there = { gpu = "NVIDIA_L4", use = "serving", count = 1, region = "europe-west4" }
    }
  }

  assert {
    condition     = google_cloud_quotas_quota_preference.this["here"].dimensions.region == "us-central1"
    error_message = "A request without a region is for the stack's."
  }

  assert {
    condition     = google_cloud_quotas_quota_preference.this["there"].dimensions.region == "europe-west4"
    error_message = "A request's own region wins."
  }
}

run "the_longest_name_is_one_that_google_takes" {
  command = plan

  variables {
    requests = {
      one = { gpu = "NVIDIA_H100_MEGA_80GB", use = "spot-training", count = 1, region = "northamerica-northeast1" }
    }
  }

  assert {
    condition     = google_cloud_quotas_quota_preference.this["one"].name == "ops-spot-training-h100-mega-80gb-northamerica-northeast1"
    error_message = "Received: ${google_cloud_quotas_quota_preference.this["one"].name}"
  }
}

run "the_same_quota_twice_is_refused" {
  command = plan

  variables {
    requests = {
      one = { gpu = "NVIDIA_TESLA_T4", use = "training", count = 1 }
      two = { gpu = "NVIDIA_TESLA_T4", use = "training", count = 2, region = "us-central1" }
    }
  }

  expect_failures = [var.requests]
}

run "an_unknown_gpu_is_refused" {
  command = plan

  variables {
    requests = { one = { gpu = "T4", use = "training", count = 1 } }
  }

  # The quota's name is made of what was refused, and cannot be either.
  expect_failures = [var.requests]
}

run "an_unknown_use_is_refused" {
  command = plan

  variables {
    requests = { one = { gpu = "NVIDIA_TESLA_T4", use = "batch", count = 1 } }
  }

  expect_failures = [var.requests]
}

run "half_a_gpu_is_refused" {
  command = plan

  variables {
    requests = { one = { gpu = "NVIDIA_TESLA_T4", use = "training", count = 0.5 } }
  }

  expect_failures = [var.requests]
}

run "a_name_with_capitals_is_refused" {
  command = plan

  variables {
    requests = { One = { gpu = "NVIDIA_TESLA_T4", use = "training", count = 1 } }
  }

  expect_failures = [var.requests]
}

run "a_contact_that_is_no_address_is_refused" {
  command = plan

  variables {
    contact_email = "ada"
  }

  expect_failures = [var.contact_email]
}
