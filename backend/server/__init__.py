"""The HTTP side: guard, routes, jobs, store, workers and lifecycle.  This process never imports torch; its workers do."""
