"""Running a coroutine on asyncio's own loop, or on uvloop's."""

import asyncio


def run(runtime, main):
    """Runs `main` to its end."""
    if runtime == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()
