"""Quantities to an MQTT broker, every few seconds, in a thread of its own. Nothing is taken from there."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tracertwin.assembly.options import Address
from tracertwin.bridges.discovery import ROOT, Message, availability_topic, discovery, state
from tracertwin.rig.serving import Rig

EVERY_S: Final = 2.0  # of the wall
USER, PASSWORD = "TRACERTWIN_MQTT_USER", "TRACERTWIN_MQTT_PASSWORD"  # of the environment
LONGEST_PAUSE_S: Final = 30  # between two tries to reach the broker
ENDS_S: Final = 2.0


class Publisher:
    """Publishes, from `start` to `stop`; looks for the broker as long as it is not there.

    Parameters
    ----------
    rig : Rig
    broker : Address
    say : callable
        Takes a line of text to the user.
    """

    def __init__(self, rig: Rig, broker: Address, say: Callable[[str], None]) -> None:
        self._rig, self._broker, self._say = rig, broker, say
        self._stopping, self._is_there = threading.Event(), False
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{ROOT}-{os.getpid()}")
        if USER in os.environ:
            self._client.username_pw_set(os.environ[USER], os.environ.get(PASSWORD))
        self._client.will_set(availability_topic(), "offline", retain=True)
        self._client.on_connect, self._client.on_disconnect = self._connected, self._gone
        self._client.on_connect_fail = lambda *_: self._missing("nobody is listening")
        self._client.reconnect_delay_set(1, LONGEST_PAUSE_S)
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._client.connect_async(self._broker.host, self._broker.port)
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        """Say that the run is over, and leave."""
        self._stopping.set()
        self._thread.join(ENDS_S)
        if self._is_there:
            self._client.publish(availability_topic(), "offline", retain=True).wait_for_publish(ENDS_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._is_there:
                for unit in self._rig.assembly.units:
                    self._publish(state(unit))
            self._stopping.wait(EVERY_S)

    def _publish(self, message: Message) -> None:
        self._client.publish(message.topic, message.payload, retain=message.retained)

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._missing(str(reason))
            return
        for unit in self._rig.assembly.units:
            for message in (*discovery(unit), state(unit)):
                self._publish(message)
        self._publish(Message(availability_topic(), "online", True))
        self._is_there = True
        self._tell("connected")

    def _gone(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._is_there = False
        if not self._stopping.is_set():
            self._missing(str(reason))

    def _missing(self, why: str) -> None:
        self._tell(f"not connected, still trying: {why}")

    def _tell(self, text: str) -> None:
        if text != self._said:  # each finding once until there is another one
            self._said = text
            self._say(f"mqtt {self._broker}: {text}")


@contextmanager
def published(rig: Rig, broker: Address, say: Callable[[str], None]) -> Iterator[None]:
    """Publish as long as the block lasts."""
    publisher = Publisher(rig, broker, say)
    publisher.start()
    try:
        yield
    finally:
        publisher.stop()
