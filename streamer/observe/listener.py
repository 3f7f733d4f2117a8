"""A web application that listens on an address."""

from aiohttp import web

from streamer.errors import ConfigError


class Listener:
    """Serves `app` on an address. Port 0 takes any free one: `port` says which, once started."""

    def __init__(self, host: str, port: int, app: web.Application) -> None:
        self._host = host
        self._wanted = port
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    @property
    def port(self) -> int:
        """The port it listens on; 0 before `start`."""
        addresses = self._runner.addresses
        return int(addresses[0][1]) if addresses else 0

    async def start(self) -> None:
        """Listen; raises `ConfigError` where the address can't be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._wanted).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                f"listen: can't listen on {self._host}:{self._wanted} ({error.strerror}); "
                "give another port, or 0 for any free one"
            ) from None

    async def stop(self) -> None:
        """Close the listener and its connections."""
        await self._runner.cleanup()
