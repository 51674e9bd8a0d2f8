variable "name" {
  description = "What everything of this environment is called, such as stoa-prod."
  type        = string
}

variable "cidr" {
  description = "The network's addresses, a /16."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "The network has to be a /16, such as 10.20.0.0/16: subnets are cut out of it by that size."
  }
}

variable "zones" {
  description = "Over how many availability zones everything is spread."
  type        = number

  validation {
    condition     = var.zones >= 2 && var.zones <= 8
    error_message = "Databases and Kubernetes want two zones at least; the network has room for eight."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has a way out of its own. With one for all, its zone takes all others' way out with it."
  type        = bool
}

variable "flow_log_days" {
  description = "For how many days refused connections are kept."
  type        = number
  default     = 30
}

variable "kms_key_arn" {
  description = "The key that logs are sealed with."
  type        = string
}
