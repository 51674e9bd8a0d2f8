# Servers of Postgres: the control database and cells, each with a standby in another zone that has every commit before
# it is acknowledged, and restorable to any second of the last weeks.
#
# RDS for PostgreSQL and not Aurora: a cell has thousands of schemas and roles, whose catalogues ordinary Postgres keeps as
# measured (docs/decisions/wall.md); Aurora would be another machine to measure, and its bill follows reads.

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-postgres"
  description = "Postgres, for the nodes of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-postgres" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  description                  = "Nodes and pods"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres${split(".", var.engine_version)[0]}"

  dynamic "parameter" {
    for_each = {
      # A transaction that walks the catalogues of thousands of schemas locks many tables at once.
      max_locks_per_transaction           = "512"
      max_connections                     = tostring(var.max_connections)
      "rds.force_ssl"                     = "1"
      log_min_duration_statement          = "1000"
      log_lock_waits                      = "1"
      idle_in_transaction_session_timeout = "300000"
      autovacuum_naptime                  = "15"
      track_io_timing                     = "1"
    }
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = contains(["max_locks_per_transaction", "max_connections"], parameter.key) ? "pending-reboot" : "immediate"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name               = "${var.name}-postgres-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring_trust.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "server" {
  for_each   = var.servers
  identifier = "${var.name}-${each.key}"

  engine                     = "postgres"
  engine_version             = var.engine_version
  auto_minor_version_upgrade = true
  instance_class             = each.value.instance_class
  storage_type               = "gp3"
  allocated_storage          = each.value.storage_gb
  max_allocated_storage      = each.value.max_storage_gb
  storage_encrypted          = true
  kms_key_id                 = var.kms_key_arn

  db_name  = "stoa"
  username = "stoa"
  # The password is made, kept and turned over by RDS, in Secrets Manager; it never passes through here.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  multi_az               = var.multi_zone
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  parameter_group_name   = aws_db_parameter_group.this.name

  # Restorable to any second of so many days.
  backup_retention_period   = var.backup_days
  backup_window             = "01:00-02:00"
  maintenance_window        = "sun:02:30-sun:03:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = var.deletion_protection ? "${var.name}-${each.key}-final" : null
  deletion_protection       = var.deletion_protection

  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  tags = { Name = "${var.name}-${each.key}" }
}

# The same backups in another region, for the loss of this one.
resource "aws_db_instance_automated_backups_replication" "elsewhere" {
  for_each               = var.backup_region == null ? {} : aws_db_instance.server
  region                 = var.backup_region
  source_db_instance_arn = each.value.arn
  kms_key_id             = var.backup_kms_key_arn
  retention_period       = var.backup_days
}
