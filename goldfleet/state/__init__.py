"""The state library: sessions, cache, routed database and ids for an app of which any clone may answer any request.

What a user keeps when they replace the example app. It knows no app, no web framework and no Pulumi; `asgi` is a thin
adapter beside it. docs/state-library.md explains it with examples that run.

    state        all of the below at once, from the environment that the launcher wrote
    sessions     who is logged in, in a central store
    cached       cached queries and cached objects, right after every write; docs/cached-objects.md
    cache        what these are built on: values in memory that all clones share, one fill at a time
    database     each user's shard; writes to the main, reads from replicas that have seen the session's writes
    ids          ids that carry their logical shard
    migrate      plain SQL files, applied once, that only add
    asgi         the session cookie for any ASGI application
    exceptions   what can be caught
"""
