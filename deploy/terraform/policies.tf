# What may be done, as policies to attach to roles: platform (Dagster's runs and sensor, the command line of those who
# operate it), collector (lands objects, nothing else), reader (SQL, reports, hot rows).

locals {
  objects   = "${aws_s3_bucket.metaplat.arn}/${var.prefix}"
  hot_arns  = [for table in aws_dynamodb_table.hot : table.arn]
  hot_index = [for table in aws_dynamodb_table.hot : "${table.arn}/index/*"]
}

data "aws_iam_policy_document" "platform" {
  # Without ListBucket S3 answers 403 instead of 404 for an object that is not there.
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.metaplat.arn]
  }

  statement {
    sid       = "Objects"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${local.objects}/*"]
  }

  # The credentials of the vendor's API (vip.secret_id), where a lake is pulled.
  dynamic "statement" {
    for_each = var.vip_secret_arn == null ? [] : [var.vip_secret_arn]
    content {
      sid       = "VendorSecret"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.metaplat.arn]
  }

  dynamic "statement" {
    for_each = length(local.hot_arns) == 0 ? [] : ["HotRows"]

    content {
      sid = statement.value
      actions = [
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:Query",
      ]
      resources = concat(local.hot_arns, local.hot_index)
    }
  }
}

data "aws_iam_policy_document" "collector" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.metaplat.arn]
  }

  # It reads what it would replace: an object that knows more is kept.
  statement {
    sid       = "Land"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.objects}/landing/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.metaplat.arn]
  }
}

data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.metaplat.arn]
  }

  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = ["${local.objects}/lake/*", "${local.objects}/state/*", "${local.objects}/reports/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.metaplat.arn]
  }

  dynamic "statement" {
    for_each = length(local.hot_arns) == 0 ? [] : ["HotRows"]

    content {
      sid       = statement.value
      actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
      resources = concat(local.hot_arns, local.hot_index)
    }
  }
}

resource "aws_iam_policy" "platform" {
  name   = "${var.bucket}-metaplat-platform"
  policy = data.aws_iam_policy_document.platform.json
}

resource "aws_iam_policy" "collector" {
  name   = "${var.bucket}-metaplat-collector"
  policy = data.aws_iam_policy_document.collector.json
}

resource "aws_iam_policy" "reader" {
  name   = "${var.bucket}-metaplat-reader"
  policy = data.aws_iam_policy_document.reader.json
}
