"""The mapping's specification, made from the job scripts: what goes where, by which rule and value table."""
