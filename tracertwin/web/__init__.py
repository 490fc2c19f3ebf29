"""A page for browsers and an API for scripts, beside a running rig: what it shows, what it does, who may.

Imports `rig` and what lies below; Starlette and uvicorn, which nothing else imports, in `app`, `pushing`, `serving`.
"""
