output "prometheus_workspace_arn" {
  description = "The workspace, for who writes to it."
  value       = aws_prometheus_workspace.this.arn
}

output "prometheus_endpoint" {
  description = "Where Prometheus' remote_write goes, with api/v1/remote_write at its end."
  value       = aws_prometheus_workspace.this.prometheus_endpoint
}
