output "granted" {
  description = "GPUs granted so far by the names of `requests`; null where Google has not answered. Above what is asked where the project already has more."
  value = {
    for name, request in google_cloud_quotas_quota_preference.this :
    name => try(request.quota_config[0].granted_value, null)
  }
}

output "quota_ids" {
  description = "The quota that each of `requests` is about, as Cloud Quotas names it."
  value = {
    for name, request in google_cloud_quotas_quota_preference.this :
    name => request.quota_id
  }
}
