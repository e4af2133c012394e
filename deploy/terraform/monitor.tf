# What the table monitor may do beside the platform policy; made where the variable monitor is set (docs/table_monitor.md).

locals {
  monitors = var.monitor == null ? {} : { monitor = var.monitor }
  aws      = "arn:${data.aws_partition.current.partition}"
  account  = data.aws_caller_identity.current.account_id
  catalog  = "${local.aws}:glue:${data.aws_region.current.name}:${local.account}"
  s3       = "${local.aws}:s3:::"
}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "monitor" {
  for_each = local.monitors

  # Tables, their sources, metadata/snapshot_dt.txt beside them, raw input.
  statement {
    sid       = "ListTables"
    actions   = ["s3:ListBucket"]
    resources = [for bucket in each.value.buckets : "${local.s3}${bucket}"]
  }

  statement {
    sid       = "ReadTables"
    actions   = ["s3:GetObject"]
    resources = [for bucket in each.value.buckets : "${local.s3}${bucket}/*"]
  }

  statement {
    sid     = "ReadCatalog"
    actions = ["glue:GetTable", "glue:GetTables", "glue:GetPartitions"]
    resources = concat(
      ["${local.catalog}:catalog"],
      [for database in each.value.databases : "${local.catalog}:database/${database}"],
      [for database in each.value.databases : "${local.catalog}:table/${database}/*"],
    )
  }

  dynamic "statement" {
    for_each = length(each.value.table_keys) == 0 ? [] : ["ReadEncrypted"]

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt"]
      resources = each.value.table_keys
    }
  }

  # What was written is looked up afterwards.
  dynamic "statement" {
    for_each = each.value.report_bucket == null ? [] : ["WriteReports"]

    content {
      sid       = statement.value
      actions   = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
      resources = ["${local.s3}${each.value.report_bucket}/${each.value.report_prefix}*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.repair ? ["Repair"] : []

    content {
      sid     = statement.value
      actions = ["glue:BatchCreatePartition"]
      resources = concat(
        ["${local.catalog}:catalog"],
        [for database in each.value.databases : "${local.catalog}:database/${database}"],
        [for database in each.value.databases : "${local.catalog}:table/${database}/*"],
      )
    }
  }

  dynamic "statement" {
    for_each = each.value.topic_arn == null ? [] : ["Tell"]

    content {
      sid       = statement.value
      actions   = ["sns:Publish"]
      resources = [each.value.topic_arn]
    }
  }
}

resource "aws_iam_policy" "monitor" {
  for_each = local.monitors

  name   = "${var.bucket}-metaplat-monitor"
  policy = data.aws_iam_policy_document.monitor[each.key].json
}
