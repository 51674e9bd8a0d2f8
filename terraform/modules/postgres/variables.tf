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

variable "engine_version" {
  description = "The major version of Postgres, such as 17; minor ones follow by themselves."
  type        = string
}

variable "servers" {
  description = "Servers by name: control holds the control database and, unless STOA_CELLS names others, the only cell."
  type = map(object({
    instance_class = string
    storage_gb     = number
    max_storage_gb = number
  }))

  validation {
    condition     = contains(keys(var.servers), "control")
    error_message = "One of the servers has to be called control: it holds the control database."
  }
}

variable "max_connections" {
  description = "Connections of each server: of each process STOA_DATABASE_CONNECTIONS, and for each cell STOA_CELL_LOGINS times STOA_CELL_CONNECTIONS."
  type        = number
}

variable "multi_zone" {
  description = "Whether each server has a standby in another zone."
  type        = bool
}

variable "backup_days" {
  description = "Of how many days any second can be restored, 35 at most."
  type        = number
}

variable "backup_region" {
  description = "Where backups are copied to, too; null for nowhere."
  type        = string
  default     = null
}

variable "backup_kms_key_arn" {
  description = "The key that copies are sealed with, in that region."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether servers refuse to be deleted, and leave a snapshot when they are."
  type        = bool
}

variable "kms_key_arn" {
  description = "The key that everything is sealed with."
  type        = string
}
