"""The comparison report: tables, figures, gallery, page."""
