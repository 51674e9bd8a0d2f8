variable "name" {
  description = "What everything of this environment is called, such as stoa-prod."
  type        = string
}

variable "base_domain" {
  description = "The platform's own host, STOA_BASE_DOMAIN."
  type        = string
}

variable "addresses" {
  description = "The public addresses of Nginx."
  type        = list(string)
}

variable "certificate_authorities" {
  description = "Who may issue certificates for the base domain and all below it."
  type        = list(string)
  default     = ["letsencrypt.org"]
}
