output "platform" {
  description = "Where everything is."
  value       = module.platform
}

output "helm_values" {
  description = "Values of the chart that only this knows: terraform output -raw helm_values >values-cloud.yaml"
  value       = module.platform.helm_values
}
