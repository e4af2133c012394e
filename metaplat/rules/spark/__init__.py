"""Rules about Spark applications, their stages and executors.

Here: one module a rule, over the declared columns of the three domains.
Not here: findings about one application (``collectors.spark.conclusions``), in its record; rules say
whether records can be trusted, and how they compare with those before.
"""
