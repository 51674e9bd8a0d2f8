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
  account_id       = "111122223333"
  region           = "eu-central-1"
  base_domain      = "shops.example.com"
  files_bucket     = "files.example.com"
  admin_role_arns  = ["arn:aws:iam::111122223333:role/operators"]
  alarm_addresses  = ["operators@example.com"]
  redis_auth_token = "0123456789abcdef"
}

run "staging" {
  command = plan

  assert {
    condition     = output.platform.cluster == "stoa-staging" && output.platform.secret == "stoa/staging" && output.platform.postgres["control"].identifier == "stoa-staging-control"
    error_message = "All bears this environment's name."
  }
  assert {
    condition     = length(yamldecode(output.helm_values).domains.addresses) == 3 && yamldecode(output.helm_values).postgres.external.networks == ["10.40.248.0/24", "10.40.249.0/24", "10.40.250.0/24"]
    error_message = "It is spread over 3 zones of its own network."
  }
  assert {
    condition     = yamldecode(output.helm_values).baseDomain == "shops.example.com" && yamldecode(output.helm_values).secrets.external.key == output.platform.secret
    error_message = "The chart is told where the platform is, and where its secrets are."
  }
}
