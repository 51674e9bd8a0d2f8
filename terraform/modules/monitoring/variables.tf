variable "name" {
  description = "What everything of this environment is called, such as stoa-prod."
  type        = string
}

variable "environment" {
  description = "The value of the tag environment, by which the bill is told apart."
  type        = string
}

variable "alarm_addresses" {
  description = "Who is written to."
  type        = list(string)

  validation {
    condition     = length(var.alarm_addresses) > 0
    error_message = "Somebody has to be written to."
  }
}

variable "database_identifiers" {
  description = "The servers of Postgres, by name."
  type        = map(string)
}

variable "max_connections" {
  description = "How many connections each of them takes."
  type        = number
}

variable "redis_members" {
  description = "The nodes of Redis."
  type        = list(string)
}

variable "monthly_budget_usd" {
  description = "What a month may cost before somebody is told, in US dollars."
  type        = number
}

variable "kms_key_arn" {
  description = "The key that messages and figures are sealed with."
  type        = string
}
