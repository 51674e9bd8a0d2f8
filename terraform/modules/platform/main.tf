# Everything that one environment is made of. Environments differ in sizes, and in what they dare to lose.

data "aws_caller_identity" "here" {}
data "aws_region" "here" {}

locals {
  name = "stoa-${var.environment}"
  tags = { project = "stoa", environment = var.environment, managed-by = "terraform" }
}

# One key for all that lies still, turned over by itself each year.
data "aws_iam_policy_document" "key" {
  statement {
    sid       = "TheAccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.here.account_id}:root"]
    }
  }
  statement {
    sid       = "LogsAndAlarms"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]
    principals {
      type = "Service"
      identifiers = [
        "logs.${data.aws_region.here.region}.amazonaws.com", "cloudwatch.amazonaws.com", "events.rds.amazonaws.com",
      ]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
  # Nodes' disks are sealed on behalf of who starts nodes.
  statement {
    sid       = "Disks"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:CreateGrant"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.here.account_id}:root"]
    }
    condition {
      test     = "StringLike"
      variable = "aws:PrincipalArn"
      values   = ["arn:aws:iam::*:role/aws-service-role/autoscaling.amazonaws.com/*"]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "All data of ${local.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.this.key_id
}

# What External Secrets hands to the chart. It is made empty, and filled by hand (README.md): its contents are no
# business of the state's.
resource "aws_secretsmanager_secret" "program" {
  name                    = "stoa/${var.environment}"
  description             = "Secrets of the program, by the names of its settings"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 30
}

module "network" {
  source       = "../network"
  name         = local.name
  cidr         = var.cidr
  zones        = var.zones
  nat_per_zone = var.survives_a_zone
  kms_key_arn  = aws_kms_key.this.arn
}

module "dns" {
  source      = "../dns-and-certificates"
  name        = local.name
  base_domain = var.base_domain
  addresses   = module.network.front.addresses
}

module "kubernetes" {
  source                   = "../kubernetes"
  name                     = local.name
  kubernetes_version       = var.kubernetes_version
  private_subnets          = module.network.private_subnets
  admin_cidrs              = var.admin_cidrs
  admin_role_arns          = var.admin_role_arns
  nodes                    = var.nodes
  zone_arn                 = module.dns.zone_arn
  secrets_prefix           = "stoa/${var.environment}"
  prometheus_workspace_arn = module.monitoring.prometheus_workspace_arn
  log_days                 = var.log_days
  kms_key_arn              = aws_kms_key.this.arn
  deletion_protection      = var.deletion_protection
  tags                     = local.tags
}

module "postgres" {
  source                   = "../postgres"
  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.database_subnets
  client_security_group_id = module.kubernetes.security_group_id
  engine_version           = var.postgres_version
  servers                  = var.postgres_servers
  max_connections          = var.postgres_max_connections
  multi_zone               = var.survives_a_zone
  backup_days              = var.backup_days
  backup_region            = var.backup_region
  backup_kms_key_arn       = var.backup_kms_key_arn
  deletion_protection      = var.deletion_protection
  kms_key_arn              = aws_kms_key.this.arn
}

module "redis" {
  source                   = "../redis"
  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.database_subnets
  client_security_group_id = module.kubernetes.security_group_id
  node_type                = var.redis_node_type
  multi_zone               = var.survives_a_zone
  auth_token               = var.redis_auth_token
  snapshot_days            = var.survives_a_zone ? 7 : 0
  kms_key_arn              = aws_kms_key.this.arn
}

module "files" {
  source               = "../object-storage"
  name                 = local.name
  bucket               = var.files_bucket
  former_versions_days = var.backup_days
  kms_key_arn          = aws_kms_key.this.arn
}

module "monitoring" {
  source               = "../monitoring"
  name                 = local.name
  environment          = var.environment
  alarm_addresses      = var.alarm_addresses
  database_identifiers = { for name, server in var.postgres_servers : name => "${local.name}-${name}" }
  max_connections      = var.postgres_max_connections
  redis_members        = module.redis.members
  monthly_budget_usd   = var.monthly_budget_usd
  kms_key_arn          = aws_kms_key.this.arn
}
