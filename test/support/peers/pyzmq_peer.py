"""A ZeroMQ peer for tests on pyzmq (libzmq), in a process of its own.

It obeys the protocol described at the top of node-peer.mjs, without the rows marked with a star: commands as one JSON
object a line on stdin, one answer a line on stdout. Every socket is used by one asyncio task at a time.
"""

import asyncio
import base64
import hashlib
import json
import os
import sys

import zmq
import zmq.asyncio
import zmq.auth.asyncio

REPORT_IN_FULL = 256

OPTIONS = {
    "linger": zmq.LINGER,
    "sendHighWaterMark": zmq.SNDHWM,
    "receiveHighWaterMark": zmq.RCVHWM,
    "routingId": zmq.ROUTING_ID,
    "reconnectInterval": zmq.RECONNECT_IVL,
    "heartbeatInterval": zmq.HEARTBEAT_IVL,
    "heartbeatTimeout": zmq.HEARTBEAT_TIMEOUT,
    "heartbeatTimeToLive": zmq.HEARTBEAT_TTL,
    "handshakeInterval": zmq.HANDSHAKE_IVL,
    "maxMessageSize": zmq.MAXMSGSIZE,
    "mandatory": zmq.ROUTER_MANDATORY,
    "handover": zmq.ROUTER_HANDOVER,
    "probeRouter": zmq.PROBE_ROUTER,
    "correlate": zmq.REQ_CORRELATE,
    "relaxed": zmq.REQ_RELAXED,
    "immediate": zmq.IMMEDIATE,
    "conflate": zmq.CONFLATE,
    "plainServer": zmq.PLAIN_SERVER,
    "plainUsername": zmq.PLAIN_USERNAME,
    "plainPassword": zmq.PLAIN_PASSWORD,
    "curveServer": zmq.CURVE_SERVER,
    "curvePublicKey": zmq.CURVE_PUBLICKEY,
    "curveSecretKey": zmq.CURVE_SECRETKEY,
    "curveServerKey": zmq.CURVE_SERVERKEY,
    "zapDomain": zmq.ZAP_DOMAIN,
}

context = zmq.asyncio.Context()
sockets = {}
tasks = set()


def pattern(size, seed):
    return hashlib.shake_256(str(seed).encode()).digest(size)


def report(frame):
    if len(frame) <= REPORT_IN_FULL:
        return base64.b64encode(frame).decode()
    return {"size": len(frame), "sha256": hashlib.sha256(frame).hexdigest()}


def frame_of(description):
    if isinstance(description, str):
        return base64.b64decode(description)
    return pattern(description["size"], description["seed"])


async def open_socket(socket, type, options=None):
    made = context.socket(getattr(zmq, type))
    made.setsockopt(zmq.LINGER, 0)
    for key, value in (options or {}).items():
        if isinstance(value, dict):
            value = base64.b64decode(value["b64"])
        elif isinstance(value, str):
            value = value.encode()
        made.setsockopt(OPTIONS[key], value)
    sockets[socket] = made


async def bind(socket, endpoint):
    sockets[socket].bind(endpoint)
    return {"endpoint": sockets[socket].getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()}


async def connect(socket, endpoint, routingId=None):
    if routingId is not None:
        sockets[socket].setsockopt(zmq.CONNECT_ROUTING_ID, routingId.encode())
    sockets[socket].connect(endpoint)


async def unbind(socket, endpoint):
    sockets[socket].unbind(endpoint)


async def disconnect(socket, endpoint):
    sockets[socket].disconnect(endpoint)


async def subscribe(socket, topics):
    for topic in topics:
        sockets[socket].setsockopt(zmq.SUBSCRIBE, base64.b64decode(topic))


async def unsubscribe(socket, topics):
    for topic in topics:
        sockets[socket].setsockopt(zmq.UNSUBSCRIBE, base64.b64decode(topic))


async def send(socket, messages):
    for message in messages:
        await sockets[socket].send_multipart([frame_of(frame) for frame in message])


async def receive(socket, count=1, timeout=10_000):
    messages = []
    while len(messages) < count:
        if not await sockets[socket].poll(timeout, zmq.POLLIN):
            raise zmq.Again()
        messages.append([report(frame) for frame in await sockets[socket].recv_multipart()])
    return {"messages": messages}


async def echo(socket):
    chosen = sockets[socket]

    async def loop():
        while True:
            await chosen.send_multipart(await chosen.recv_multipart())

    keep(loop())


class Keys:
    """The credentials of CURVE, as zmq.auth asks for them."""

    known = []

    def callback(self, domain, key):
        return key in self.known


keys_known = Keys()
authenticator = None


async def authenticate(users, keys):
    global authenticator
    if authenticator is None:
        authenticator = zmq.auth.asyncio.AsyncioAuthenticator(context)
        authenticator.start()
    authenticator.configure_plain(domain="*", passwords=users)
    keys_known.known = [key.encode() for key in keys]
    authenticator.configure_curve_callback(domain="*", credentials_provider=keys_known)


async def close(socket):
    sockets.pop(socket).close()


COMMANDS = {
    "open": open_socket,
    "bind": bind,
    "connect": connect,
    "unbind": unbind,
    "disconnect": disconnect,
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "send": send,
    "receive": receive,
    "echo": echo,
    "authenticate": authenticate,
    "close": close,
}


def answer(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def obey(id, op, **rest):
    try:
        answer({"id": id, **(await COMMANDS[op](**rest) or {})})
    except zmq.ZMQError as error:
        name = zmq.Errno(error.errno).name if error.errno in zmq.Errno._value2member_map_ else str(error.errno)
        answer({"id": id, "error": {"code": name, "message": str(error)}})
    except Exception as error:
        answer({"id": id, "error": {"code": type(error).__name__, "message": str(error)}})


def keep(work):
    """Starts a task and holds it: asyncio itself keeps only weak references."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def main():
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    answer({"hello": "pyzmq", "version": zmq.zmq_version()})
    while line := await reader.readline():
        keep(obey(**json.loads(line)))
    # Sockets need no farewell: their linger is 0, and a context that waits would keep the process.
    os._exit(0)


asyncio.run(main())
