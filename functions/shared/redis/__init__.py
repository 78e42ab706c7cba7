"""Redis: the page cache, its connections and its circuit breaker."""
