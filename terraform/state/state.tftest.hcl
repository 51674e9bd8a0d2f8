mock_provider "aws" {}

variables {
  region = "eu-central-1"
  bucket = "stoa-states.example.com"
}

run "the_bucket" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "stoa-states.example.com" && one(aws_s3_bucket_versioning.state.versioning_configuration).status == "Enabled"
    error_message = "A state that was written over can be had back."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && aws_kms_key.state.enable_key_rotation
    error_message = "States are sealed, by a key that is turned over."
  }
  assert {
    condition     = alltrue([for wall in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] : aws_s3_bucket_public_access_block.state[wall]])
    error_message = "Nobody outside can be let in."
  }
}
