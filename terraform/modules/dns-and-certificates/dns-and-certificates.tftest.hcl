mock_provider "aws" {}

variables {
  name        = "stoa-prod"
  base_domain = "shops.example.com"
  addresses   = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
}

run "the_zone" {
  command = plan

  assert {
    condition     = aws_route53_zone.base.name == "shops.example.com" && !aws_route53_zone.base.force_destroy
    error_message = "The zone is the base domain's, and not lost with what is in it."
  }
  assert {
    condition     = keys(aws_route53_record.front) == ["*.shops.example.com", "shops.example.com"] && alltrue([for r in aws_route53_record.front : r.records == toset(var.addresses)])
    error_message = "The platform and the shops below it are at every public address."
  }
  assert {
    condition     = aws_route53_record.caa.records == toset(["0 issue \"letsencrypt.org\"", "0 issuewild \"letsencrypt.org\""])
    error_message = "Nobody else may issue certificates."
  }
  assert {
    condition     = one(aws_route53_record.dmarc.records) == "v=DMARC1; p=reject; adkim=s"
    error_message = "Mail that is not signed is refused."
  }
}
