# As production in everything but size, so that what works here works there.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }

  # The bucket is made once by ../../state. Its name is given to terraform init (README.md).
  backend "s3" {
    key          = "stoa/staging.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { project = "stoa", environment = "staging", managed-by = "terraform" }
  }
}

module "platform" {
  source              = "../../modules/platform"
  environment         = "staging"
  base_domain         = var.base_domain
  cidr                = "10.40.0.0/16"
  zones               = 3
  survives_a_zone     = true
  deletion_protection = true

  admin_cidrs     = var.admin_cidrs
  admin_role_arns = var.admin_role_arns
  alarm_addresses = var.alarm_addresses
  files_bucket    = var.files_bucket

  redis_auth_token = var.redis_auth_token

  nodes = {
    instance_types = ["m7g.large"]
    ami_type       = "AL2023_ARM_64_STANDARD"
    disk_gb        = 50
    min_per_zone   = 1
    max_per_zone   = 3
  }

  postgres_servers         = { control = { instance_class = "db.m7g.large", storage_gb = 50, max_storage_gb = 200 } }
  postgres_max_connections = 800
  redis_node_type          = "cache.t4g.small"
  backup_days              = 7
  log_days                 = 30
  monthly_budget_usd       = 2000
}
