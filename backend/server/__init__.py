"""The HTTP server: request guard, routes, jobs, store, workers, lifecycle.  It never imports torch; its workers do."""
