variable "environment" {
  description = "Which environment this is: dev, staging or prod."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment is dev, staging or prod."
  }
}

variable "base_domain" {
  description = "The platform's own host, STOA_BASE_DOMAIN. Its zone is made here; the registrar has to name its servers."
  type        = string
}

variable "cidr" {
  description = "The network's addresses, a /16 that no network it is ever joined to has."
  type        = string
}

variable "zones" {
  description = "Over how many availability zones everything is spread."
  type        = number
}

variable "survives_a_zone" {
  description = "Whether databases have a standby, and each zone a way out of its own."
  type        = bool
}

variable "deletion_protection" {
  description = "Whether what holds data, and the cluster, refuse to be deleted."
  type        = bool
}

variable "kubernetes_version" {
  description = "The minor version of Kubernetes."
  type        = string
  default     = "1.34"
}

variable "admin_cidrs" {
  description = "From where Kubernetes may be reached over the internet. None: from within the network alone."
  type        = list(string)
}

variable "admin_role_arns" {
  description = "The roles of people who may do everything in the cluster."
  type        = list(string)
}

variable "nodes" {
  description = "What nodes are, and how many there are in each zone."
  type = object({
    instance_types = list(string)
    ami_type       = string
    disk_gb        = number
    min_per_zone   = number
    max_per_zone   = number
  })
}

variable "postgres_version" {
  description = "The major version of Postgres."
  type        = string
  default     = "17"
}

variable "postgres_servers" {
  description = "Servers by name; one is called control."
  type = map(object({
    instance_class = string
    storage_gb     = number
    max_storage_gb = number
  }))
}

variable "postgres_max_connections" {
  description = "Connections of each server."
  type        = number
}

variable "backup_days" {
  description = "Of how many days any second of the databases can be restored, and deleted files be had back."
  type        = number
}

variable "backup_region" {
  description = "Where the databases' backups are copied to, too; null for nowhere."
  type        = string
  default     = null
}

variable "backup_kms_key_arn" {
  description = "The key that copies are sealed with, in that region."
  type        = string
  default     = null
}

variable "redis_node_type" {
  description = "The class of Redis' nodes."
  type        = string
}

variable "redis_auth_token" {
  description = "Redis' password; from the environment, as TF_VAR_redis_auth_token."
  type        = string
  sensitive   = true
}

variable "files_bucket" {
  description = "The name of the bucket of merchants' files."
  type        = string
}

variable "alarm_addresses" {
  description = "Who is written to when something is wrong."
  type        = list(string)
}

variable "monthly_budget_usd" {
  description = "What a month may cost before somebody is told, in US dollars."
  type        = number
}

variable "log_days" {
  description = "For how many days logs of Kubernetes are kept."
  type        = number
}
