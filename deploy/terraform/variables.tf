variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "prefix" {
  description = "Prefix in the bucket, without slashes around it: root = \"s3://<bucket>/<prefix>\"."
  type        = string
  default     = "metaplat"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", var.prefix))
    error_message = "A prefix has at least one part, and no slash at its ends."
  }
}

variable "table_prefix" {
  description = "Put before each table name, as the setting hot.table_prefix."
  type        = string
  default     = ""
}

variable "report_days" {
  description = "Days that reports are kept; they are rendered anew at any time."
  type        = number
  default     = 90
}

variable "noncurrent_days" {
  description = "Days that replaced and deleted versions of objects are kept."
  type        = number
  default     = 30
}

# Values: domains.auto.tfvars.json. They say again what the domains declare; a test compares the two.
variable "domains" {
  description = "What each domain declares: landing prefix, days of its archive, hot table."
  type = map(object({
    landing      = string
    archive_days = number
    hot_table = optional(object({
      name          = string
      partition_key = string
      sort_key      = string
      status        = optional(string)
    }))
  }))
}

variable "monitor" {
  description = "What the table monitor looks at; null makes no policy for it. Athena's permissions are yours to add."
  type = object({
    buckets       = list(string)               # of tables, sources and raw input
    databases     = list(string)               # of tables and sources, in Glue
    table_keys    = optional(list(string), []) # ARNs of the KMS keys of these buckets
    report_bucket = optional(string)           # as the setting monitor.report_bucket
    report_prefix = optional(string, "data-monitor/")
    topic_arn     = optional(string)      # as the setting monitor.sns_topic_arn
    repair        = optional(bool, false) # for auto_repair = "glue"
  })
  default = null
}

variable "vip_secret_arn" {
  description = "Secret with the credentials of the vendor's lake; null where none is pulled."
  type        = string
  default     = null
}
