# The hot store. The same tables as metaplat makes itself with hot.create_tables = true; set that to false.
# It is a cache that is rebuilt from the lake, so there is no point-in-time recovery.

locals {
  hot_tables = { for name, domain in var.domains : name => domain.hot_table if domain.hot_table != null }
}

resource "aws_dynamodb_table" "hot" {
  for_each = local.hot_tables

  name         = "${var.table_prefix}${each.value.name}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = each.value.partition_key
  range_key    = each.value.sort_key

  attribute {
    name = each.value.partition_key
    type = "S"
  }

  attribute {
    name = each.value.sort_key
    type = "N"
  }

  dynamic "attribute" {
    for_each = each.value.status == null ? [] : [each.value.status]

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.status == null ? [] : [each.value.status]

    content {
      name            = "status-timestamp-index"
      hash_key        = global_secondary_index.value
      range_key       = each.value.sort_key
      projection_type = "ALL"
    }
  }

  # Rows carry the moment they expire: start of the execution plus the domain's hot retention.
  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  server_side_encryption {
    enabled = true
  }
}
