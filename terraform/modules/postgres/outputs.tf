output "servers" {
  description = "Where each server is, and which secret holds its password."
  value = {
    for name, server in aws_db_instance.server : name => {
      identifier = server.identifier
      endpoint   = server.endpoint
      secret_arn = server.master_user_secret[0].secret_arn
    }
  }
}
