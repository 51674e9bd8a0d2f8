output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "private_subnets" {
  description = "The nodes' subnets, by zone."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "database_subnets" {
  description = "The databases' subnets."
  value       = [for subnet in aws_subnet.database : subnet.id]
}

output "database_cidrs" {
  description = "The addresses of the databases' subnets."
  value       = [for subnet in aws_subnet.database : subnet.cidr_block]
}

output "front" {
  description = "The public addresses, and what they are allocated as, zone by zone."
  value = {
    addresses   = [for address in aws_eip.front : address.public_ip]
    allocations = [for address in aws_eip.front : address.allocation_id]
    subnets     = [for subnet in aws_subnet.public : subnet.id]
  }
}
