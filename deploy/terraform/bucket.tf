# The bucket of landing, lake, quarantine, state and reports.

resource "aws_s3_bucket" "metaplat" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "metaplat" {
  bucket                  = aws_s3_bucket.metaplat.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "metaplat" {
  bucket = aws_s3_bucket.metaplat.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "metaplat" {
  bucket = aws_s3_bucket.metaplat.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_kms_key" "metaplat" {
  description         = "Objects of metaplat in ${var.bucket}"
  enable_key_rotation = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "metaplat" {
  bucket = aws_s3_bucket.metaplat.id

  rule {
    bucket_key_enabled = true # one request to KMS for many objects

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.metaplat.arn
    }
  }
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.metaplat.arn, "${aws_s3_bucket.metaplat.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "metaplat" {
  bucket = aws_s3_bucket.metaplat.id
  policy = data.aws_iam_policy_document.tls_only.json

  depends_on = [aws_s3_bucket_public_access_block.metaplat]
}
