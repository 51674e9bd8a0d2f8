variable "name" {
  description = "What everything of this environment is called, such as stoa-prod."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "The databases' subnets."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "The group of those who may connect."
  type        = string
}

variable "node_type" {
  description = "The class of its nodes, such as cache.t4g.small."
  type        = string
}

variable "multi_zone" {
  description = "Whether there is a replica in another zone, which takes over by itself."
  type        = bool
}

variable "auth_token" {
  description = "The password, 16 to 128 letters and digits. It lies in the state, which is sealed."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{16,128}$", var.auth_token))
    error_message = "The password has 16 to 128 letters and digits: it becomes part of an address."
  }
}

variable "snapshot_days" {
  description = "For how many days snapshots are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "The key that what lies on disk is sealed with."
  type        = string
}
