output "root" {
  description = "For the setting root."
  value       = "s3://${aws_s3_bucket.metaplat.bucket}/${var.prefix}"
}

output "platform_policy_arn" {
  description = "For the role of Dagster's runs."
  value       = aws_iam_policy.platform.arn
}

output "collector_policy_arn" {
  description = "For the role of the collector."
  value       = aws_iam_policy.collector.arn
}

output "reader_policy_arn" {
  description = "For those who read."
  value       = aws_iam_policy.reader.arn
}

output "monitor_policy_arn" {
  description = "For the role of Dagster's runs, beside the platform policy; null where the table monitor is not set."
  value       = one([for policy in aws_iam_policy.monitor : policy.arn])
}
