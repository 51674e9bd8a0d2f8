# For trying changes out: two zones, and nothing twice.

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
    key          = "stoa/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { project = "stoa", environment = "dev", managed-by = "terraform" }
  }
}

module "platform" {
  source              = "../../modules/platform"
  environment         = "dev"
  base_domain         = var.base_domain
  cidr                = "10.30.0.0/16"
  zones               = 2
  survives_a_zone     = false
  deletion_protection = false

  admin_cidrs     = var.admin_cidrs
  admin_role_arns = var.admin_role_arns
  alarm_addresses = var.alarm_addresses
  files_bucket    = var.files_bucket

  redis_auth_token = var.redis_auth_token

  nodes = {
    instance_types = ["t4g.large"]
    ami_type       = "AL2023_ARM_64_STANDARD"
    disk_gb        = 30
    min_per_zone   = 1
    max_per_zone   = 2
  }

  postgres_servers         = { control = { instance_class = "db.t4g.medium", storage_gb = 20, max_storage_gb = 50 } }
  postgres_max_connections = 300
  redis_node_type          = "cache.t4g.micro"
  backup_days              = 3
  log_days                 = 7
  monthly_budget_usd       = 500
}
