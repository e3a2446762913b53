"""Speed and error of the engine on this machine, beside general integrators on the same right-hand side."""
