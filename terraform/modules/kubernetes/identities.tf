# What the cluster's own controllers may do in the cloud, each by an identity that its pods alone can take. The
# program has none: it needs nothing of the cloud but a bucket, whose key is a secret of its own.

data "aws_caller_identity" "here" {}
data "aws_region" "here" {}

locals {
  account = data.aws_caller_identity.here.account_id
  region  = data.aws_region.here.region

  # The service account that takes the identity: those of add-ons are named there.
  pods = {
    vpc-cni            = null
    ebs-csi            = null
    cert-manager       = { namespace = "cert-manager", service_account = "cert-manager" }
    external-secrets   = { namespace = "external-secrets", service_account = "external-secrets" }
    load-balancer      = { namespace = "kube-system", service_account = "aws-load-balancer-controller" }
    cluster-autoscaler = { namespace = "kube-system", service_account = "cluster-autoscaler" }
    prometheus         = { namespace = "monitoring", service_account = "prometheus" }
  }

  managed = {
    vpc-cni = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
    ebs-csi = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
  }

  narrow = {
    cert-manager       = data.aws_iam_policy_document.cert_manager.json
    external-secrets   = data.aws_iam_policy_document.external_secrets.json
    load-balancer      = data.aws_iam_policy_document.load_balancer.json
    cluster-autoscaler = data.aws_iam_policy_document.cluster_autoscaler.json
    prometheus         = data.aws_iam_policy_document.prometheus.json
  }
}

data "aws_iam_policy_document" "pod_trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "pod" {
  for_each           = local.pods
  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.pod_trust.json
}

resource "aws_iam_role_policy_attachment" "pod" {
  for_each   = local.managed
  role       = aws_iam_role.pod[each.key].name
  policy_arn = each.value
}

resource "aws_iam_role_policy" "pod" {
  for_each = local.narrow
  name     = each.key
  role     = aws_iam_role.pod[each.key].id
  policy   = each.value
}

resource "aws_eks_pod_identity_association" "pod" {
  for_each        = { for name, pod in local.pods : name => pod if pod != null }
  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.pod[each.key].arn
}

# Proves names of the base domain: TXT records of one zone, and none but those that proofs are written in.
data "aws_iam_policy_document" "cert_manager" {
  statement {
    actions   = ["route53:GetChange"]
    resources = ["arn:aws:route53:::change/*"]
  }
  statement {
    actions   = ["route53:ListResourceRecordSets"]
    resources = [var.zone_arn]
  }
  statement {
    actions   = ["route53:ChangeResourceRecordSets"]
    resources = [var.zone_arn]
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsRecordTypes"
      values   = ["TXT"]
    }
    condition {
      test     = "ForAllValues:StringLike"
      variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
      values   = ["_acme-challenge.*"]
    }
  }
}

# Reads the secrets of this environment.
data "aws_iam_policy_document" "external_secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = ["arn:aws:secretsmanager:${local.region}:${local.account}:secret:${var.secrets_prefix}*"]
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

# Makes network load balancers for Services, and changes those that it made for this cluster.
data "aws_iam_policy_document" "load_balancer" {
  statement {
    actions = [
      "ec2:DescribeAvailabilityZones", "ec2:DescribeAddresses", "ec2:DescribeInstances", "ec2:DescribeInternetGateways",
      "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
      "ec2:DescribeTags", "ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc",
      "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeListenerAttributes",
      "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancerAttributes",
      "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetHealth",
    ]
    resources = ["*"] # none of these can be narrowed
  }
  statement {
    actions = [
      "ec2:CreateSecurityGroup", "elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup",
      "elasticloadbalancing:CreateListener",
    ]
    resources = ["*"]
  }
  statement {
    actions   = ["ec2:CreateTags"]
    resources = ["arn:aws:ec2:${local.region}:${local.account}:security-group/*"]
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["CreateSecurityGroup"]
    }
  }
  statement {
    actions   = ["elasticloadbalancing:AddTags"]
    resources = ["arn:aws:elasticloadbalancing:${local.region}:${local.account}:*"]
    condition {
      test     = "StringEquals"
      variable = "elasticloadbalancing:CreateAction"
      values   = ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener"]
    }
  }
  statement {
    actions = [
      "ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup",
      "elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags", "elasticloadbalancing:DeleteListener",
      "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup",
      "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyListener",
      "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyLoadBalancerAttributes",
      "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
      "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
    ]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/elbv2.k8s.aws/cluster"
      values   = [var.name]
    }
  }
}

# Adds and takes away nodes of this cluster's groups.
data "aws_iam_policy_document" "cluster_autoscaler" {
  statement {
    actions = [
      "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLaunchConfigurations",
      "autoscaling:DescribeScalingActivities", "autoscaling:DescribeTags", "ec2:DescribeImages", "ec2:DescribeInstanceTypes",
      "ec2:DescribeLaunchTemplateVersions", "ec2:GetInstanceTypesFromInstanceRequirements",
    ]
    resources = ["*"] # none of these can be narrowed
  }
  statement {
    actions   = ["eks:DescribeNodegroup"]
    resources = ["arn:aws:eks:${local.region}:${local.account}:nodegroup/${var.name}/*"]
  }
  statement {
    actions   = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/eks:cluster-name"
      values   = [var.name]
    }
  }
}

# Writes to this environment's workspace.
data "aws_iam_policy_document" "prometheus" {
  statement {
    actions   = ["aps:RemoteWrite"]
    resources = [var.prometheus_workspace_arn]
  }
}
