# `tflint --recursive --config "$PWD/.tflint.hcl"`, from this folder. The rules are those that come with tflint: the
# ruleset for Google is fetched from GitHub by `tflint --init`, and is not needed to pass.
config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}
