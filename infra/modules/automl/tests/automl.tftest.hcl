# Covers: the agent's address, who may be a member.
mock_provider "google" {}

variables {
  project_id     = "test-project"
  project_number = "123456789012"
}

run "the_agent_is_named_by_the_number" {
  command = plan

  assert {
    condition     = output.agent_email == "service-123456789012@gcp-sa-aiplatform.iam.gserviceaccount.com"
    error_message = "That is not the address of Vertex AI's agent."
  }
}

run "members_use_vertex_ai" {
  command = plan

  variables {
    members = ["group:vision@example.com", "user:ada@example.com"]
  }

  assert {
    condition = (
      toset([for one in google_project_iam_member.members : one.role]) ==
      toset(["roles/aiplatform.user"])
    )
    error_message = "Members get roles/aiplatform.user and nothing else."
  }

  assert {
    condition     = length(google_project_iam_member.members) == 2
    error_message = "Each member has a grant."
  }
}

run "an_address_alone_is_refused" {
  command = plan

  variables {
    members = ["ada@example.com"]
  }

  expect_failures = [var.members]
}

run "everybody_is_refused" {
  command = plan

  variables {
    members = ["allUsers"]
  }

  expect_failures = [var.members]
}
