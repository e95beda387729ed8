# Covers: what is on, what a destroy switches off, names that are none.
mock_provider "google" {}

variables {
  project_id = "test-project"
}

run "every_stack_has_vertex_ai" {
  command = plan

  assert {
    condition     = contains(keys(google_project_service.this), "aiplatform.googleapis.com")
    error_message = "Vertex AI is not among the APIs."
  }
}

run "a_destroy_leaves_apis_on" {
  command = plan

  assert {
    condition     = !anytrue([for one in google_project_service.this : one.disable_on_destroy])
    error_message = "An API would be switched off without being asked for."
  }
}

run "a_destroy_switches_them_off_when_asked" {
  command = plan

  variables {
    disable_on_destroy = true
  }

  assert {
    condition     = google_project_service.this["aiplatform.googleapis.com"].disable_on_destroy
    error_message = "Vertex AI would stay on."
  }

  assert {
    condition = !anytrue([
      for name in ["cloudresourcemanager", "serviceusage", "storage"] :
      google_project_service.this["${name}.googleapis.com"].disable_on_destroy
    ])
    error_message = "The destroy would switch off what it goes on with."
  }
}

run "more_are_added" {
  command = plan

  variables {
    more = ["sts.googleapis.com"]
  }

  assert {
    condition     = contains(keys(google_project_service.this), "sts.googleapis.com")
    error_message = "The API that was asked for is missing."
  }
}

run "a_short_name_is_refused" {
  command = plan

  variables {
    more = ["sts"]
  }

  expect_failures = [var.more]
}
