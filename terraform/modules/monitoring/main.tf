# What the cloud itself tells: alarms on what Prometheus in the cluster cannot see, a place outside the cluster where its
# figures outlast it, and a bound on the bill. Alerts on the program are observability/alerts'.

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "mail" {
  for_each  = toset(var.alarm_addresses)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_prometheus_workspace" "this" {
  alias       = var.name
  kms_key_arn = var.kms_key_arn
}

locals {
  # Of each server: the metric, how it is read, and beyond what it is no good.
  database_alarms = {
    storage     = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 10737418240, text = "has less than 10 GB left" }
    connections = { metric = "DatabaseConnections", comparison = "GreaterThanThreshold", threshold = 0.8 * var.max_connections, text = "has more than four fifths of its connections in use" }
    cpu         = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 85, text = "has no processor time to spare" }
    memory      = { metric = "FreeableMemory", comparison = "LessThanThreshold", threshold = 268435456, text = "has less than 256 MB of memory left" }
    queue       = { metric = "DiskQueueDepth", comparison = "GreaterThanThreshold", threshold = 64, text = "waits for its disk" }
  }
  database_pairs = merge([for server, identifier in var.database_identifiers : {
    for name, alarm in local.database_alarms : "${server}-${name}" => merge(alarm, { server = server, identifier = identifier })
  }]...)

  redis_alarms = {
    memory    = { metric = "DatabaseMemoryUsagePercentage", threshold = 80, text = "is nearly full; it throws nothing away and will refuse writes" }
    cpu       = { metric = "EngineCPUUtilization", threshold = 80, text = "has no processor time to spare" }
    evictions = { metric = "Evictions", threshold = 0, text = "throws keys away, which ends sessions early" }
  }
  redis_pairs = merge([for member in var.redis_members : {
    for name, alarm in local.redis_alarms : "${member}-${name}" => merge(alarm, { member = member })
  }]...)
}

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each            = local.database_pairs
  alarm_name          = "${var.name}-postgres-${each.key}"
  alarm_description   = "The server ${each.value.server} ${each.value.text}."
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = each.value.identifier }
  statistic           = "Average"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 10
  datapoints_to_alarm = 8
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "redis" {
  for_each            = local.redis_pairs
  alarm_name          = "redis-${each.key}"
  alarm_description   = "${each.value.member} ${each.value.text}."
  namespace           = "AWS/ElastiCache"
  metric_name         = each.value.metric
  dimensions          = { CacheClusterId = each.value.member }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_db_event_subscription" "this" {
  name             = var.name
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = values(var.database_identifiers)
  event_categories = ["availability", "deletion", "failover", "failure", "low storage", "maintenance", "recovery"]
}

resource "aws_budgets_budget" "month" {
  name         = var.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:environment$%s", var.environment)]
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = var.alarm_addresses
  }
}
