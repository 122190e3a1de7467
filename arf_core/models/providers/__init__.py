"""Model providers: a module here is one."""
