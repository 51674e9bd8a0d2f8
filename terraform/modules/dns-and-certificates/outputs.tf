output "zone_arn" {
  description = "The zone, for who proves names in it."
  value       = aws_route53_zone.base.arn
}

output "name_servers" {
  description = "The servers that the domain's registrar has to name."
  value       = aws_route53_zone.base.name_servers
}
