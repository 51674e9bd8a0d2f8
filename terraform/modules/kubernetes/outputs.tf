output "name" {
  description = "The cluster, for aws eks update-kubeconfig."
  value       = aws_eks_cluster.this.name
}

output "security_group_id" {
  description = "The group that nodes and pods are in."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}
