"""What goes back: feedback, tables, the report, and the pages that show them."""
