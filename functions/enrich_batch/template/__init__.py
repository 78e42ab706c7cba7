"""The template: texts of fixed phrases, in each language that has a file in `languages/`."""
