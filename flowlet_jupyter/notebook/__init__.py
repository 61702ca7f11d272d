"""What a notebook sees: magics, widgets, display."""
