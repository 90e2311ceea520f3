"""A class and its records: what was collected, who is who, what was marked and when."""
