# Three zones, any of which may be lost; backups in another region.

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
    key          = "stoa/prod.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { project = "stoa", environment = "prod", managed-by = "terraform" }
  }
}

module "platform" {
  source              = "../../modules/platform"
  environment         = "prod"
  base_domain         = var.base_domain
  cidr                = "10.50.0.0/16"
  zones               = 3
  survives_a_zone     = true
  deletion_protection = true

  admin_cidrs     = var.admin_cidrs
  admin_role_arns = var.admin_role_arns
  alarm_addresses = var.alarm_addresses
  files_bucket    = var.files_bucket

  redis_auth_token = var.redis_auth_token

  nodes = {
    instance_types = ["m7g.xlarge"]
    ami_type       = "AL2023_ARM_64_STANDARD"
    disk_gb        = 80
    min_per_zone   = 2
    max_per_zone   = 6
  }

  postgres_servers         = { control = { instance_class = "db.r7g.xlarge", storage_gb = 200, max_storage_gb = 2000 } }
  postgres_max_connections = 1200
  redis_node_type          = "cache.m7g.large"
  backup_days              = 35
  backup_region            = var.backup_region
  backup_kms_key_arn       = var.backup_kms_key_arn
  log_days                 = 90
  monthly_budget_usd       = 6000
}
