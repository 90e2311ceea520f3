"""What decides a mark. Its content and that of `sandbox` are part of every key."""
