variable "name" {
  description = "What everything of this environment is called, such as stoa-prod."
  type        = string
}

variable "kubernetes_version" {
  description = "The minor version of Kubernetes, such as 1.34."
  type        = string
}

variable "private_subnets" {
  description = "The nodes' subnets, by zone."
  type        = map(string)
}

variable "admin_cidrs" {
  description = "From where Kubernetes may be reached over the internet. None: from within the network alone."
  type        = list(string)
}

variable "admin_role_arns" {
  description = "The roles of people who may do everything in the cluster. Whoever applies this is none by that."
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

variable "zone_arn" {
  description = "The zone of the base domain, in which cert-manager proves names."
  type        = string
}

variable "secrets_prefix" {
  description = "What the names of this environment's secrets begin with, such as stoa/prod."
  type        = string
}

variable "prometheus_workspace_arn" {
  description = "Where Prometheus writes to."
  type        = string
}

variable "log_days" {
  description = "For how many days the control plane's logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "The key that Kubernetes' secrets, disks and logs are sealed with."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the cluster refuses to be deleted."
  type        = bool
}

variable "tags" {
  description = "Tags of what nodes make themselves, which the provider's own do not reach."
  type        = map(string)
}
