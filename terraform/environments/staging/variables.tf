variable "account_id" {
  description = "The account that this environment lies in; any other is refused."
  type        = string
}

variable "region" {
  description = "The region, such as eu-central-1."
  type        = string
}

variable "base_domain" {
  description = "The platform's own host."
  type        = string
}

variable "files_bucket" {
  description = "The name of the bucket of merchants' files."
  type        = string
}

variable "admin_cidrs" {
  description = "From where Kubernetes may be reached over the internet."
  type        = list(string)
  default     = []
}

variable "admin_role_arns" {
  description = "The roles of people who may do everything in the cluster."
  type        = list(string)
}

variable "alarm_addresses" {
  description = "Who is written to when something is wrong."
  type        = list(string)
}

variable "redis_auth_token" {
  description = "Redis' password, from TF_VAR_redis_auth_token."
  type        = string
  sensitive   = true
}
