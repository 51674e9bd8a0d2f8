# The zone of the base domain: where the platform and the shops below it are, and who may issue certificates for them.
#
# Certificates themselves are made in the cluster: that of the base domain by cert-manager, which proves it in this
# zone, merchants' own by the program. TLS ends in Nginx, so that ACM, whose keys cannot be taken out, has no part in it.

resource "aws_route53_zone" "base" {
  name          = var.base_domain
  comment       = "Base domain of ${var.name}"
  force_destroy = false

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_route53_record" "front" {
  for_each = toset([var.base_domain, "*.${var.base_domain}"])
  zone_id  = aws_route53_zone.base.zone_id
  name     = each.value
  type     = "A"
  ttl      = 300
  records  = var.addresses
}

resource "aws_route53_record" "caa" {
  zone_id = aws_route53_zone.base.zone_id
  name    = var.base_domain
  type    = "CAA"
  ttl     = 3600
  records = concat(
    [for authority in var.certificate_authorities : "0 issue \"${authority}\""],
    [for authority in var.certificate_authorities : "0 issuewild \"${authority}\""],
  )
}

# Mail that says it is from here and is not signed is refused. What the mail provider wants besides is added by hand.
resource "aws_route53_record" "dmarc" {
  zone_id = aws_route53_zone.base.zone_id
  name    = "_dmarc.${var.base_domain}"
  type    = "TXT"
  ttl     = 3600
  records = ["v=DMARC1; p=reject; adkim=s"]
}
