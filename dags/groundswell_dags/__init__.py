"""What the DAGs share. Airflow does not look for DAGs here (`.airflowignore`)."""
