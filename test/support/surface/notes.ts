/**
 * What no type says: where Peerlane does the same thing better, or in another way, or not at all, and why. Each note is about
 * one row of the table, by its name there; what is said of an interface (`Writable.send`) holds for all who have it. The
 * table's test refuses a note whose row is not there, that says what the types deny, or that names what does not exist.
 */
export type Verdict = "same" | "better" | "differs" | "stored only" | "refused for now" | "out" | "missing"

export interface Note {
  readonly verdict: Verdict
  /** What is better and how, what differs, or why it is not there. Names in backquotes must exist. */
  readonly why: string
  /** The compiler cannot see that the types fit; a person has. */
  readonly seen?: true
}

const better = (why: string): Note => ({ verdict: "better", why })
const differs = (why: string): Note => ({ verdict: "differs", why })
const same = (why: string): Note => ({ verdict: "same", why })
const out = (why: string): Note => ({ verdict: "out", why })

const byNumber = out("options of libzmq by their numbers; there is no libzmq here, and each option has a name")
const ownTypes = out("for socket types made of libzmq's numbers")
const seen = (why: string): Note => ({ verdict: "same", why, seen: true })
const anyType = seen(
  "the compiler cannot compare them for any type of event; the [events](#event-types) are compared one by one",
)
const neverWaits = same("takes `timeout` and `signal` as well; it never waits")

export const NOTES: Readonly<Record<string, Note>> = {
  // Entry points and exports
  "zeromq/v5-compat": out("the API of versions 4 and 5, with callbacks, which version 6 keeps for old programs"),
  context: differs("one for each thread: `inproc://` does not reach another thread"),
  version: same("of the libzmq whose behaviour this is"),
  curveKeyPair: same("made by Node itself, so that it needs no other package"),
  Message: differs(
    "a frame above 64 bytes is a view of what came with it, and holds up to 64 KiB as long as it is kept",
  ),
  Pair: better("a second peer is turned away and gets in when the first has left; there it stays, and is never heard"),
  "capability.pgm": out("multicast is not spoken"),
  "capability.norm": out("multicast is not spoken"),
  "capability.tipc": out("Node has no sockets for it"),

  // All sockets
  "Socket.constructor": ownTypes,
  "Socket.events": differs("of what nobody reads the first 1000 are kept; listeners do not keep the process alive"),
  "Socket.close": better("gives a promise, which resolves when what was queued is sent or dropped; takes `linger`"),
  "Socket.bind": better(
    "the socket can be used meanwhile, `EBUSY` there; an ipc path that is no socket is `EADDRINUSE`, and not deleted",
  ),
  "Socket.bindSync": differs(
    "host names are `ENOTSUP`, as Node looks them up only while others run: `bind()` has them",
  ),
  "Socket.unbindSync": better("unbinds; that of 6.8 binds"),
  "Socket.connect": better(
    "a malformed address is `EINVAL` at once; libzmq finds some only when it connects, and tries for ever",
  ),
  "Socket.lastEndpoint": better("can be read when closed, too; there it is `ENOTSOCK`"),
  "Socket.type": better("can be read when closed, too; there it is `ENOTSOCK`"),
  "Socket.securityMechanism": seen("null, plain or curve; GSSAPI is not spoken"),
  "Socket.threadSafe": differs("false for draft types, too; there they are true, of no use to JavaScript"),
  "Socket.getBoolOption": byNumber,
  "Socket.setBoolOption": byNumber,
  "Socket.getInt32Option": byNumber,
  "Socket.setInt32Option": byNumber,
  "Socket.getUint32Option": byNumber,
  "Socket.setUint32Option": byNumber,
  "Socket.getInt64Option": byNumber,
  "Socket.setInt64Option": byNumber,
  "Socket.getUint64Option": byNumber,
  "Socket.setUint64Option": byNumber,
  "Socket.getStringOption": byNumber,
  "Socket.setStringOption": byNumber,

  // Sending, receiving, and what single types add
  "Writable.send": better(
    "several may wait, in their order (`maxPendingSends`); each takes `timeout` and `signal`. There a second one is `EBUSY`",
  ),
  "Readable.receive": better(
    "several may wait, in their order; each takes `timeout` and `signal`. There a second one is `EBUSY`",
  ),
  "Publisher.send": better("with `noDrop` it waits for room; takes `timeout` and `signal`"),
  "XPublisher.send": better("with `noDrop` it waits for room; takes `timeout` and `signal`"),
  "XSubscriber.send": neverWaits,
  "Reply.send": neverWaits,
  "Server.send": neverWaits,
  "Radio.send": better(
    "a group of more than 255 bytes, or with a zero, is `EINVAL`; there it is sent, and nobody can have joined it",
  ),
  "Subscriber.subscribe": better("any number at once; libzmq loses those that a publisher's pipe has no room for"),

  // Others
  "Observer.constructor": seen("of any socket of its own package"),
  "Observer.receive": better(
    "several may wait, in their order; each takes `timeout` and `signal`. There a second one is `EBUSY`",
  ),
  "EventSubscriber.on": anyType,
  "EventSubscriber.off": anyType,
  "Proxy.constructor": better("a third socket, if given, gets a copy of what passes"),
  "Proxy.run": better(
    "meanwhile the sockets can be bound, connected and sent on, `EBUSY` there; closing one ends the proxy",
  ),
  "Proxy.pause": better("pauses; libzmq 4.3.5 goes on"),
  "Context.getBoolOption": byNumber,
  "Context.setBoolOption": byNumber,
  "Context.getInt32Option": byNumber,
  "Context.setInt32Option": byNumber,

  // Options
  "option noDrop": better("a send waits for room, for `sendTimeout`; there it is `EAGAIN` at once"),
  "option conflate": better("keeps whole messages; libzmq keeps single frames"),
  "option backlog": differs("at least 1024, as an event loop is not always at hand to accept"),
  "option ipv6": differs("`lastEndpoint` of an IPv4 address stays one; there it is `tcp://[::ffff:127.0.0.1]:<port>`"),
  "option manual": better("with `subscribe()` and `unsubscribe()`, for which the package has no method"),
  "option receiveHighWaterMark": better(
    "also holds for what an `XPublisher` hears when nobody receives from it; libzmq keeps all of that",
  ),
  "option handshakeInterval": better("also holds for peers of ZMTP 1.0 and 2.0, for which libzmq waits for ever"),
  "option heartbeatTimeout": better(
    "the silence of a peer that is not read, as the marks are reached, does not count against it",
  ),
  "option heartbeatTimeToLive": better("above 65.5 s it is told as 65.5 s; libzmq's peers read it modulo 65,536 ms"),
  "option tcpAcceptFilter": better("can be read; takes several ranges; IPv6 ranges need no `ipv6`"),
  "option socksProxy": better(
    "checked by `connect()`; `socksUsername` and `socksPassword`; a proxy that stalls is given up",
  ),
  "Context.maxMessageSize": better("limits what new sockets accept; libzmq keeps it, without effect"),

  // Events
  "event connect:delay": differs("at each attempt, over ipc as well; libzmq has it for tcp"),
  "event handshake:error:protocol": better(
    "also when the socket types do not fit, with both in its message; libzmq tells only `disconnect`",
  ),
  "event close:error": out("closing a listener does not fail here"),
  "event unknown": out("no event is unknown here"),
}
