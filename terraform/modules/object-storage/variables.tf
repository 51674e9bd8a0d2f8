variable "name" {
  description = "What everything of this environment is called, such as stoa-prod."
  type        = string
}

variable "bucket" {
  description = "The bucket's name, which is the world's: no other bucket may have it."
  type        = string
}

variable "former_versions_days" {
  description = "For how many days what was deleted can be had back."
  type        = number
}

variable "kms_key_arn" {
  description = "The key that files are sealed with."
  type        = string
}
