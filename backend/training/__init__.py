"""Training of all models: drawings, data sets, one trainer, the tasks and stages, export."""
