"""Rules about Spark applications, their stages and executors."""
