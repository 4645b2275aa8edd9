"""The only users of the SDKs and of HTTP: JSON-ish in, JSON-ish out, over one retry policy.

Nothing heavy is imported when a module here is imported; SDKs load inside functions. The core is not known
here, except for its errors.
"""
