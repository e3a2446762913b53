"""Engine room of motorpool; see docs/explanation/architecture.md."""
