# How long objects stay. S3 counts from their last writing; state/ never expires (docs/stores.md).

locals {
  expiring = merge(
    # Domains of one family read the same landing objects: one rule for them.
    { for landing in distinct([for domain in var.domains : domain.landing]) :
      "landing-${trimsuffix(landing, "/")}" => {
        prefix = "${var.prefix}/landing/${landing}"
        days   = max([for domain in var.domains : domain.archive_days if domain.landing == landing]...)
    } },
    { for name, domain in var.domains : "lake-${name}" => {
      prefix = "${var.prefix}/lake/${name}/"
      days   = domain.archive_days
    } },
    { for name, domain in var.domains : "quarantine-${name}" => {
      prefix = "${var.prefix}/quarantine/${name}/"
      days   = domain.archive_days
    } },
    { reports = {
      prefix = "${var.prefix}/reports/"
      days   = var.report_days
    } },
  )
}

resource "aws_s3_bucket_lifecycle_configuration" "metaplat" {
  bucket = aws_s3_bucket.metaplat.id

  dynamic "rule" {
    for_each = local.expiring

    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      expiration {
        days = rule.value.days
      }
    }
  }

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {
      prefix = "${var.prefix}/"
    }

    expiration {
      expired_object_delete_marker = true
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.metaplat]
}
