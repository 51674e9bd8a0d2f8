mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::files.example.com" }
  }
}

variables {
  name                 = "stoa-prod"
  bucket               = "files.example.com"
  former_versions_days = 35
  kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/a"
}

run "the_bucket" {
  command = plan

  assert {
    condition     = alltrue([for wall in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] : aws_s3_bucket_public_access_block.files[wall]])
    error_message = "Nobody outside can be let in."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.files.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "Files are sealed."
  }
  assert {
    condition     = one(aws_s3_bucket_versioning.files.versioning_configuration).status == "Enabled" && one(one(aws_s3_bucket_lifecycle_configuration.files.rule).noncurrent_version_expiration).noncurrent_days == 35 && !aws_s3_bucket.files.force_destroy
    error_message = "What was deleted can be had back for as long as the databases can."
  }
  assert {
    condition     = one(data.aws_iam_policy_document.bucket.statement).effect == "Deny" && one(one(data.aws_iam_policy_document.bucket.statement).condition).variable == "aws:SecureTransport"
    error_message = "Open connections are refused."
  }
  assert {
    condition     = flatten([for s in data.aws_iam_policy_document.program.statement : tolist(s.actions) if contains(s.resources, "${aws_s3_bucket.files.arn}/*")]) == ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    error_message = "The program reads, writes and deletes files, and does nothing else with them."
  }
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.program.statement : tolist(s.resources)])) == toset([aws_s3_bucket.files.arn, "${aws_s3_bucket.files.arn}/*", var.kms_key_arn])
    error_message = "It touches this bucket and its key alone."
  }
  assert {
    condition     = output.user == "stoa-prod-files"
    error_message = "The user bears the environment's name."
  }
}
