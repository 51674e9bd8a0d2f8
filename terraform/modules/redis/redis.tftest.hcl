mock_provider "aws" {}

variables {
  name                     = "stoa-prod"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2", "subnet-3"]
  client_security_group_id = "sg-nodes"
  node_type                = "cache.m7g.large"
  multi_zone               = true
  auth_token               = "0123456789abcdef"
  snapshot_days            = 7
  kms_key_arn              = "arn:aws:kms:eu-central-1:111122223333:key/a"
}

run "production" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 2 && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "A replica in another zone takes over by itself."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true" && aws_elasticache_replication_group.this.kms_key_id == var.kms_key_arn && aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "It is sealed, still and under way."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == var.auth_token
    error_message = "It wants a password."
  }
  assert {
    condition     = one(aws_elasticache_parameter_group.this.parameter).name == "maxmemory-policy" && one(aws_elasticache_parameter_group.this.parameter).value == "noeviction"
    error_message = "It throws no key away."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.referenced_security_group_id == "sg-nodes" && aws_vpc_security_group_ingress_rule.this.from_port == 6379 && aws_vpc_security_group_ingress_rule.this.to_port == 6379 && aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == null
    error_message = "Nodes alone may connect, to Redis alone."
  }
  assert {
    condition     = output.members == ["stoa-prod-001", "stoa-prod-002"]
    error_message = "Its nodes are known by name, for alarms."
  }
}

run "to_try_out" {
  command = plan
  variables {
    multi_zone    = false
    snapshot_days = 0
  }

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 1 && !aws_elasticache_replication_group.this.automatic_failover_enabled && output.members == ["stoa-prod-001"]
    error_message = "There is one node alone."
  }
}

run "a_password_that_is_none" {
  command = plan
  variables {
    auth_token = "with spaces in it, and long"
  }
  expect_failures = [var.auth_token]
}
