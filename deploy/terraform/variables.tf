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
