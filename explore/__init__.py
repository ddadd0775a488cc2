"""Where data is shown: filters, figures, charts, explorer, export, history."""
