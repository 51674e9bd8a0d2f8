mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c", "eu-central-1d"] }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  name         = "stoa-prod"
  cidr         = "10.50.0.0/16"
  zones        = 3
  nat_per_zone = true
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/a"
}

run "three_zones" {
  command = plan

  assert {
    condition     = keys(aws_subnet.private) == ["eu-central-1a", "eu-central-1b", "eu-central-1c"] && keys(aws_subnet.database) == keys(aws_subnet.private) && keys(aws_subnet.public) == keys(aws_subnet.private)
    error_message = "There are subnets of each kind in each of three zones."
  }
  assert {
    condition     = length(distinct([for s in concat(values(aws_subnet.private), values(aws_subnet.public), values(aws_subnet.database)) : s.cidr_block])) == 9
    error_message = "No two subnets have the same addresses."
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == keys(aws_subnet.private) && keys(aws_eip.front) == keys(aws_subnet.public)
    error_message = "Each zone has a way out and a public address of its own."
  }
  assert {
    condition     = toset(keys(aws_route.private)) == toset(keys(aws_subnet.private)) && alltrue([for zone, association in aws_route_table_association.database : association.route_table_id == aws_route_table.database.id])
    error_message = "Nodes have a way out; databases are in a table that has none."
  }
  assert {
    condition     = alltrue([for s in concat(values(aws_subnet.private), values(aws_subnet.public), values(aws_subnet.database)) : s.map_public_ip_on_launch != true])
    error_message = "Nothing is given a public address because of where it is."
  }
  assert {
    condition     = aws_default_security_group.closed.ingress == null || length(aws_default_security_group.closed.ingress) == 0
    error_message = "Who is in no group can be reached by nobody."
  }
  assert {
    condition     = aws_flow_log.this.traffic_type == "REJECT" && aws_cloudwatch_log_group.flows.kms_key_id == var.kms_key_arn
    error_message = "Refused connections are written down, sealed."
  }
  assert {
    condition     = toset(one(data.aws_iam_policy_document.flows.statement).actions) == toset(["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"])
    error_message = "Who writes them down may do nothing else."
  }
  assert {
    condition     = aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-central-1.s3" && length(aws_vpc_endpoint.s3.route_table_ids) >= 1
    error_message = "S3 is reached without the NAT gateways."
  }
  assert {
    condition     = length(output.front.addresses) == 3 && length(output.private_subnets) == 3 && length(output.database_subnets) == 3
    error_message = "What others build on is put out, zone by zone."
  }
}

run "one_way_out" {
  command = plan
  variables {
    zones        = 2
    nat_per_zone = false
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-central-1a"] && length(aws_route.private) == 2
    error_message = "Both zones go out by the first one's gateway."
  }
}

run "too_few_zones" {
  command = plan
  variables {
    zones = 1
  }
  expect_failures = [var.zones]
}

run "too_small" {
  command = plan
  variables {
    cidr = "10.50.0.0/20"
  }
  expect_failures = [var.cidr]
}
