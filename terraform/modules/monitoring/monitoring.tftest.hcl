mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:111122223333:stoa-prod-alarms" }
  }
}

variables {
  name                 = "stoa-prod"
  environment          = "prod"
  alarm_addresses      = ["operators@example.com"]
  database_identifiers = { control = "stoa-prod-control", cell-2 = "stoa-prod-cell-2" }
  max_connections      = 1000
  redis_members        = ["stoa-prod-001", "stoa-prod-002"]
  monthly_budget_usd   = 6000
  kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/a"
}

run "alarms" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.database) == 10 && toset([for a in aws_cloudwatch_metric_alarm.database : a.dimensions["DBInstanceIdentifier"]]) == toset(values(var.database_identifiers))
    error_message = "Five things are watched of each database."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.redis) == 6 && toset([for a in aws_cloudwatch_metric_alarm.redis : a.dimensions["CacheClusterId"]]) == toset(var.redis_members)
    error_message = "Three things are watched of each node of Redis."
  }
  assert {
    condition     = alltrue([for a in concat(values(aws_cloudwatch_metric_alarm.database), values(aws_cloudwatch_metric_alarm.redis)) : a.alarm_actions == toset([aws_sns_topic.alarms.arn]) && a.ok_actions == a.alarm_actions])
    error_message = "Each says when it begins, and when it is over."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.database["control-connections"].threshold == 800
    error_message = "Four fifths of the connections are too many."
  }
  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.database : a.treat_missing_data == "breaching"])
    error_message = "A database that says nothing is one that is wrong."
  }
  assert {
    condition     = [for s in aws_sns_topic_subscription.mail : s.endpoint] == ["operators@example.com"] && aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn
    error_message = "Somebody is written to, by a topic that is sealed."
  }
  assert {
    condition     = aws_db_event_subscription.this.source_ids == toset(values(var.database_identifiers)) && contains(aws_db_event_subscription.this.event_categories, "failover")
    error_message = "What befalls the databases is told."
  }
  assert {
    condition     = aws_budgets_budget.month.limit_amount == "6000" && one(one(aws_budgets_budget.month.cost_filter).values) == "user:environment$prod"
    error_message = "The bound on the bill is this environment's."
  }
}

run "nobody_to_write_to" {
  command = plan
  variables {
    alarm_addresses = []
  }
  expect_failures = [var.alarm_addresses]
}
