mock_provider "aws" {
  mock_resource "aws_db_instance" {
    defaults = { master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds-a", kms_key_id = "", secret_status = "active" }] }
  }
}

variables {
  name                     = "stoa-prod"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2", "subnet-3"]
  client_security_group_id = "sg-nodes"
  engine_version           = "17"
  servers = {
    control = { instance_class = "db.r7g.xlarge", storage_gb = 200, max_storage_gb = 2000 }
    cell-2  = { instance_class = "db.r7g.xlarge", storage_gb = 100, max_storage_gb = 1000 }
  }
  max_connections     = 1200
  multi_zone          = true
  backup_days         = 35
  backup_region       = "eu-west-1"
  backup_kms_key_arn  = "arn:aws:kms:eu-west-1:111122223333:key/b"
  deletion_protection = true
  kms_key_arn         = "arn:aws:kms:eu-central-1:111122223333:key/a"
}

run "production" {
  command = plan

  assert {
    condition     = [for s in aws_db_instance.server : s.identifier] == ["stoa-prod-cell-2", "stoa-prod-control"] && alltrue([for s in aws_db_instance.server : s.tags["Name"] == s.identifier])
    error_message = "Each server bears the environment's name and its own."
  }
  assert {
    condition     = alltrue([for s in aws_db_instance.server : s.multi_az])
    error_message = "Each server has a standby in another zone."
  }
  assert {
    condition     = alltrue([for s in aws_db_instance.server : s.backup_retention_period == 35 && !s.delete_automated_backups])
    error_message = "Any second of 35 days can be restored, of a server that is deleted, too."
  }
  assert {
    condition     = alltrue([for r in aws_db_instance_automated_backups_replication.elsewhere : r.region == "eu-west-1" && r.kms_key_id == var.backup_kms_key_arn && r.retention_period == 35]) && length(aws_db_instance_automated_backups_replication.elsewhere) == 2
    error_message = "Backups of each server are in the other region, sealed with its key."
  }
  assert {
    condition     = alltrue([for s in aws_db_instance.server : s.storage_encrypted && s.kms_key_id == var.kms_key_arn && s.performance_insights_kms_key_id == var.kms_key_arn])
    error_message = "All that lies still is sealed."
  }
  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "rds.force_ssl"]) == "1"
    error_message = "What is under way is sealed."
  }
  assert {
    condition     = alltrue([for s in aws_db_instance.server : !s.publicly_accessible && s.vpc_security_group_ids == toset([aws_security_group.this.id])])
    error_message = "No server can be reached from outside."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.referenced_security_group_id == "sg-nodes" && aws_vpc_security_group_ingress_rule.this.from_port == 5432 && aws_vpc_security_group_ingress_rule.this.to_port == 5432 && aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == null
    error_message = "Nodes alone may connect, to Postgres alone."
  }
  assert {
    condition     = alltrue([for s in aws_db_instance.server : s.manage_master_user_password && s.password == null])
    error_message = "No password passes through here."
  }
  assert {
    condition     = alltrue([for s in aws_db_instance.server : s.deletion_protection && !s.skip_final_snapshot && s.final_snapshot_identifier == "${s.identifier}-final"])
    error_message = "Servers refuse to be deleted, and leave a snapshot when they are."
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17" && one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "max_connections"]) == "1200"
    error_message = "Parameters are those of the version, and connections as many as asked for."
  }
  assert {
    condition     = output.servers["control"].identifier == "stoa-prod-control" && output.servers["control"].secret_arn != null
    error_message = "Where each server is, and where its password, is put out."
  }
}

run "to_try_out" {
  command = plan
  variables {
    multi_zone          = false
    backup_days         = 3
    backup_region       = null
    deletion_protection = false
  }

  assert {
    condition     = alltrue([for s in aws_db_instance.server : !s.multi_az && s.skip_final_snapshot && s.final_snapshot_identifier == null]) && length(aws_db_instance_automated_backups_replication.elsewhere) == 0
    error_message = "What may be lost is there once."
  }
  assert {
    condition     = alltrue([for s in aws_db_instance.server : s.storage_encrypted && !s.publicly_accessible && s.backup_retention_period == 3])
    error_message = "And yet it is sealed, shut, and restorable."
  }
}

run "without_control" {
  command = plan
  variables {
    servers = { cell-2 = { instance_class = "db.r7g.xlarge", storage_gb = 100, max_storage_gb = 1000 } }
  }
  expect_failures = [var.servers]
}
