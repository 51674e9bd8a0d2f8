mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  name                     = "stoa-prod"
  kubernetes_version       = "1.34"
  private_subnets          = { eu-central-1a = "subnet-1", eu-central-1b = "subnet-2", eu-central-1c = "subnet-3" }
  admin_cidrs              = []
  admin_role_arns          = ["arn:aws:iam::111122223333:role/operators"]
  nodes                    = { instance_types = ["m7g.xlarge"], ami_type = "AL2023_ARM_64_STANDARD", disk_gb = 80, min_per_zone = 2, max_per_zone = 6 }
  zone_arn                 = "arn:aws:route53:::hostedzone/Z1"
  secrets_prefix           = "stoa/prod"
  prometheus_workspace_arn = "arn:aws:aps:eu-central-1:111122223333:workspace/w"
  log_days                 = 90
  kms_key_arn              = "arn:aws:kms:eu-central-1:111122223333:key/a"
  deletion_protection      = true
  tags                     = { project = "stoa", environment = "prod" }
}

run "the_cluster" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this.deletion_protection && aws_eks_cluster.this.version == "1.34" && contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit")
    error_message = "The cluster refuses to be deleted, and writes down who did what."
  }
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "Without addresses to reach it from, it is reached from within alone."
  }
  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.kms_key_arn && aws_cloudwatch_log_group.cluster.kms_key_id == var.kms_key_arn
    error_message = "Secrets and logs are sealed."
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions && keys(aws_eks_access_entry.admin) == var.admin_role_arns
    error_message = "Those who were named may enter, and nobody because they built it."
  }
  assert {
    condition     = keys(aws_eks_node_group.zone) == keys(var.private_subnets) && alltrue([for zone, g in aws_eks_node_group.zone : g.subnet_ids == toset([var.private_subnets[zone]]) && g.scaling_config[0].min_size == 2 && g.scaling_config[0].max_size == 6])
    error_message = "There are nodes in each zone, a group for each."
  }
  assert {
    condition     = aws_launch_template.node.metadata_options[0].http_tokens == "required" && aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "Pods cannot take the node's identity."
  }
  assert {
    condition     = one(one(aws_launch_template.node.block_device_mappings).ebs).encrypted == "true" && one(one(aws_launch_template.node.block_device_mappings).ebs).kms_key_id == var.kms_key_arn
    error_message = "Nodes' disks are sealed."
  }
  assert {
    condition     = alltrue([for t in aws_launch_template.node.tag_specifications : t.tags["environment"] == "prod" && t.tags["Name"] == "stoa-prod-node"])
    error_message = "What nodes make bears the environment's tags."
  }
  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "Network policies are kept."
  }
}

run "each_controller_may_little" {
  command = plan

  assert {
    condition     = toset(keys(aws_eks_pod_identity_association.pod)) == toset(["cert-manager", "cluster-autoscaler", "external-secrets", "load-balancer", "prometheus"]) && toset(keys(aws_iam_role_policy.pod)) == toset(keys(aws_eks_pod_identity_association.pod))
    error_message = "Each controller has an identity and a policy of its own, and the program none."
  }
  assert {
    condition     = one(one(data.aws_iam_policy_document.pod_trust.statement).condition).values == tolist(["111122223333"])
    error_message = "Identities are this account's pods' alone."
  }
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.external_secrets.statement : tolist(s.resources)])) == toset(["arn:aws:secretsmanager:eu-central-1:111122223333:secret:stoa/prod*", var.kms_key_arn])
    error_message = "External Secrets reads this environment's secrets alone."
  }
  assert {
    condition     = one([for s in data.aws_iam_policy_document.cert_manager.statement : length(s.condition) if contains(s.actions, "route53:ChangeResourceRecordSets")]) == 2
    error_message = "cert-manager changes proofs alone."
  }
  assert {
    condition     = one(data.aws_iam_policy_document.prometheus.statement).actions == toset(["aps:RemoteWrite"]) && one(data.aws_iam_policy_document.prometheus.statement).resources == toset([var.prometheus_workspace_arn])
    error_message = "Prometheus writes, to this environment's workspace alone."
  }
}

run "reached_from_the_office" {
  command = plan
  variables {
    admin_cidrs = ["192.0.2.0/24"]
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["192.0.2.0/24"])
    error_message = "It is reached from there, and from nowhere else."
  }
}
