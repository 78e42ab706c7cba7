"""Cron: calls functions at the times that a crontab file gives, in UTC."""
