output "endpoint" {
  description = "Where the primary is, wherever that may be."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "members" {
  description = "Its nodes, as ElastiCache names them, known before they are there."
  value       = [for i in range(var.multi_zone ? 2 : 1) : format("%s-%03d", var.name, i + 1)]
}
