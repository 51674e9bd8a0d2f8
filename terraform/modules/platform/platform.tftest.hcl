mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_resource "aws_db_instance" {
    defaults = { master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds-a", kms_key_id = "", secret_status = "active" }] }
  }
}

variables {
  environment              = "staging"
  base_domain              = "shops.example.com"
  cidr                     = "10.40.0.0/16"
  zones                    = 3
  survives_a_zone          = true
  deletion_protection      = true
  admin_cidrs              = []
  admin_role_arns          = ["arn:aws:iam::111122223333:role/operators"]
  alarm_addresses          = ["operators@example.com"]
  files_bucket             = "files.example.com"
  redis_auth_token         = "0123456789abcdef"
  nodes                    = { instance_types = ["m7g.large"], ami_type = "AL2023_ARM_64_STANDARD", disk_gb = 50, min_per_zone = 1, max_per_zone = 3 }
  postgres_servers         = { control = { instance_class = "db.m7g.large", storage_gb = 50, max_storage_gb = 200 } }
  postgres_max_connections = 800
  redis_node_type          = "cache.t4g.small"
  backup_days              = 7
  monthly_budget_usd       = 2000
  log_days                 = 30
}

run "all_of_it" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "The key is turned over, and not lost by a slip."
  }
  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.key.statement : s.sid == "TheAccountDecides" || length(s.condition) == 1])
    error_message = "Others than the account use the key on a condition alone."
  }
  assert {
    condition     = aws_secretsmanager_secret.program.name == "stoa/staging" && aws_secretsmanager_secret.program.kms_key_id == aws_kms_key.this.arn
    error_message = "The program's secret is this environment's, and sealed."
  }
  assert {
    condition     = module.kubernetes.name == "stoa-staging" && output.postgres["control"].identifier == "stoa-staging-control" && output.files.user == "stoa-staging-files"
    error_message = "All bears the environment's name."
  }
  assert {
    condition     = module.redis.members == ["stoa-staging-001", "stoa-staging-002"]
    error_message = "What survives a zone is there twice."
  }
  assert {
    condition     = length(yamldecode(output.helm_values).domains.addresses) == 3 && yamldecode(output.helm_values).postgres.external.networks == ["10.40.248.0/24", "10.40.249.0/24", "10.40.250.0/24"]
    error_message = "The chart is told the public addresses, and where databases are."
  }
}

run "one_that_may_be_lost" {
  command = plan
  variables {
    environment     = "dev"
    zones           = 2
    survives_a_zone = false
  }

  assert {
    condition     = module.redis.members == ["stoa-dev-001"] && length(yamldecode(output.helm_values).domains.addresses) == 2
    error_message = "It is there once, and in two zones."
  }
}

run "an_environment_that_there_is_not" {
  command = plan
  variables {
    environment = "qa"
  }
  expect_failures = [var.environment]
}
