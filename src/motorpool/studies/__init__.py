"""Studies room of motorpool: a published study as something that can be run and compared."""
