output "platform" {
  description = "Where everything is."
  value = {
    cluster             = module.platform.cluster
    name_servers        = module.platform.name_servers
    postgres            = module.platform.postgres
    redis_endpoint      = module.platform.redis_endpoint
    files               = module.platform.files
    secret              = module.platform.secret
    prometheus_endpoint = module.platform.prometheus_endpoint
  }
}

output "helm_values" {
  description = "Values of the chart that only this knows: terraform output -raw helm_values >values-cloud.yaml"
  value       = module.platform.helm_values
}
