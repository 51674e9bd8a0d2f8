output "bucket" {
  description = "The bucket."
  value       = aws_s3_bucket.files.id
}

output "user" {
  description = "The user whose key the program signs with."
  value       = aws_iam_user.program.name
}
