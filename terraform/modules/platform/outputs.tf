output "cluster" {
  description = "The cluster, for aws eks update-kubeconfig --name."
  value       = module.kubernetes.name
}

output "name_servers" {
  description = "The servers that the domain's registrar has to name."
  value       = module.dns.name_servers
}

output "postgres" {
  description = "Where each server of Postgres is, and which secret holds its password."
  value       = module.postgres.servers
}

output "redis_endpoint" {
  description = "Where Redis is."
  value       = module.redis.endpoint
}

output "files" {
  description = "The bucket of files, and the user whose key the program signs with."
  value       = { bucket = module.files.bucket, user = module.files.user }
}

output "secret" {
  description = "The secret to fill with the program's settings."
  value       = aws_secretsmanager_secret.program.name
}

output "prometheus_endpoint" {
  description = "Where Prometheus' remote_write goes, with api/v1/remote_write at its end."
  value       = module.monitoring.prometheus_endpoint
}

output "helm_values" {
  description = "Values of the chart stoa that only this knows; they go over values-prod.yaml."
  value = yamlencode({
    baseDomain = var.base_domain
    domains    = { addresses = module.network.front.addresses }
    postgres   = { external = { networks = module.network.database_cidrs } }
    redis      = { external = { networks = module.network.database_cidrs } }
    secrets    = { external = { key = aws_secretsmanager_secret.program.name } }
    nginx = { service = { annotations = {
      "service.beta.kubernetes.io/aws-load-balancer-eip-allocations" = join(",", module.network.front.allocations)
      "service.beta.kubernetes.io/aws-load-balancer-subnets"         = join(",", module.network.front.subnets)
    } } }
  })
}
