# The bucket that the environments' states lie in. Applied once, by hand, with a state of its own on the disk of whoever
# does it; it is small, and can be imported anew.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

variable "region" {
  description = "The region, such as eu-central-1."
  type        = string
}

variable "bucket" {
  description = "The bucket's name, which is the world's: no other bucket may have it."
  type        = string
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "stoa", environment = "state", managed-by = "terraform" }
  }
}

resource "aws_kms_key" "state" {
  description             = "States of Terraform"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_s3_bucket" "state" {
  bucket = var.bucket

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.state.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
