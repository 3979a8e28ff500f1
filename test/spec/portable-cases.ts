/**
 * The behaviour that libzmq's own tests ask for, one row a case, in our own words; and the tests of Peerlane that show it.
 * What a case names as transports must be among those that its tests run over. `portable-cases.test.ts` reads the files and
 * says where that is not so. `later` belongs to what is not there yet, `notPortable` to the C API alone.
 *
 * The numbers are those by which other tests refer to these cases; 125 is many small ones. What libzmq tests with peers made
 * by hand, byte for byte, follows under its name there.
 */
import type { Transport } from "../support/endpoints.js"

export interface Case {
  readonly number?: number
  /** Tells those of one number apart; what has no number is known by this. */
  readonly part?: string
  readonly what: string
  /** Where it must hold; where nothing stands, any transport will do. */
  readonly over?: readonly Transport[]
  /** Files below test/, without their ending, and the titles of tests in them as they are written there. */
  readonly shown?: readonly (readonly [file: string, title: string])[]
  readonly later?: string
  readonly notPortable?: string
}

const I: readonly Transport[] = ["inproc"]
const T: readonly Transport[] = ["tcp"]
const P: readonly Transport[] = ["ipc"]
const IT: readonly Transport[] = ["inproc", "tcp"]
const TP: readonly Transport[] = ["tcp", "ipc"]
const ITP: readonly Transport[] = ["inproc", "tcp", "ipc"]

const CURVE = "the fuzzer of CURVE is not there yet"
const STREAM = "Stream is not there yet"
const UDP = "udp and Datagram are not there yet"
const WS = "ws and wss are not there yet"

export const CASES: readonly Case[] = [
  // REQ and REP
  { number: 1, over: IT, what: "a bound REQ asks five REPs in the order in which they connected", shown: [["spec/28-reqrep", "SHALL route outgoing messages to connected peers using a round-robin strategy (peers connect)"]] },
  { number: 2, over: IT, what: "a request is an empty frame and the body; the reply's empty frame is taken off", shown: [["spec/28-reqrep", "SHALL prefix the outgoing message with an empty delimiter frame, and take it off the reply"]] },
  { number: 3, what: "a REQ without peers is EAGAIN, at once or after its timeout", shown: [["spec/28-reqrep", "SHALL block on sending, or return a suitable error, when it has no connected peers"]] },
  { number: 4, over: T, what: "correlate: four bytes before the delimiter, and only the reply with the same ones counts", shown: [["spec/28-reqrep", "SHALL NOT discard messages: with CORRELATE, only the answer with the request's number counts"]] },
  { number: 5, what: "relaxed: a second request before the reply goes to the next peer, and only its reply counts", shown: [["spec/28-reqrep", "with RELAXED and CORRELATE drops the answers to requests that were given up, and keeps every peer's turn"]] },
  { number: 6, what: "relaxed: a reply that was there before the next request is dropped", shown: [["spec/28-reqrep", "with RELAXED and CORRELATE drops the answers to requests that were given up, and keeps every peer's turn"]] },
  { number: 7, what: "relaxed: giving a request up closes no connection, so every peer keeps its turn (issue 1690)", shown: [["spec/28-reqrep", "with RELAXED and CORRELATE drops the answers to requests that were given up, and keeps every peer's turn"]] },
  { number: 8, what: "relaxed: of two requests sent before the peer is there only the second gets its reply", shown: [["spec/28-reqrep", "with RELAXED and CORRELATE answers only the last of the requests made before the server was there"]] },
  { number: 9, over: I, what: "a reply without a body is skipped, the next one counts", shown: [["spec/28-reqrep", "ignores an answer without body from a ROUTER, and takes the next one"]] },
  { number: 10, over: IT, what: "a REP serves one REQ twice in a row, and several fairly", shown: [["spec/28-reqrep", "SHALL receive incoming messages from its peers using a fair-queuing strategy"]] },
  { number: 11, over: IT, what: "a REP keeps the frames up to the first empty one, and sends them back before its reply", shown: [["spec/28-reqrep", "SHALL remove and store the address envelope, pass the rest, and prepend it to the reply"]] },
  { number: 12, what: "REQ and REP out of turn are EFSM", shown: [["spec/28-reqrep", "SHALL send and then receive exactly one message at a time: anything else is EFSM"]] },
  { number: 13, over: ITP, what: "REQ and REP bounce a message of two frames", shown: [["spec/28-reqrep", "bounces messages of several frames"]] },
  { number: 14, what: "REQ and REP with a ROUTER and a DEALER between them, two frames each way", shown: [["spec/28-reqrep", "SHALL work behind a ROUTER and a DEALER that pass messages on"]] },
  // DEALER and ROUTER
  { number: 15, over: IT, what: "a DEALER gives each of five REPs one of five messages", shown: [["spec/28-dealer", "SHALL route outgoing messages to available peers using a round-robin strategy"]] },
  { number: 16, over: IT, what: "a DEALER receives one sender twice, then one from each of five", shown: [["spec/28-dealer", "SHALL receive incoming messages from its peers using a fair-queuing strategy"]] },
  { number: 17, what: "a DEALER without peers is EAGAIN, at once or after its timeout", shown: [["spec/28-dealer", "SHALL block on sending, or return a suitable error, when it has no available peers"]] },
  { number: 18, over: IT, what: "a ROUTER receives one message of each of five named peers", shown: [["spec/28-router", "SHALL receive incoming messages from its peers using a fair-queuing strategy"]] },
  { number: 19, what: "a message to an unknown id is dropped without a word", shown: [["spec/28-router", "SHALL silently drop a message whose queue does not exist"]] },
  { number: 20, what: "mandatory: an unknown id is EHOSTUNREACH, a peer that said hello is reached", shown: [["spec/28-router", "SHALL return an error if the queue does not exist and MANDATORY is set"]] },
  { number: 21, over: T, what: "mandatory: a peer that never reads is EAGAIN after more than ten large messages, and again after more than twenty", shown: [["spec/28-router", "MANDATORY: EAGAIN after more than ten messages of 64 KiB, and again after more (router_mandatory_hwm)"]] },
  { number: 22, what: "of each peer it is known whether it has room, while another goes on", shown: [
    ["spec/additions-peer-state", "says that one is full while another has room, until it has read (get_peer_state)"],
    ["spec/additions-peer-state", "is asked of a socket that sends nothing without harm"],
    ["spec/28-router", "MANDATORY: one full peer does not stop another"],
  ] },
  { number: 23, what: "handover: a second peer of the same id takes its place", shown: [["spec/28-router", "HANDOVER: a newcomer takes the identity over, and the old connection ends"]] },
  { number: 24, what: "without handover the second peer is not heard, and the first keeps the id", shown: [["spec/28-router", "without HANDOVER a second peer of the same identity is not heard, and the first keeps it"]] },
  { number: 25, what: "a ROUTER that probes is known to the other ROUTER by an empty message, and can be answered", shown: [["spec/28-router", "PROBE_ROUTER from a ROUTER: the other ROUTER receives [identity, empty] and can answer"]] },
  { number: 26, what: "the same with a DEALER that probes", shown: [["spec/28-router", "PROBE_ROUTER from a DEALER: the ROUTER receives [identity, empty] and can answer"]] },
  { number: 27, what: "a STREAM names its next connection and sends to it at once", later: STREAM },
  { number: 28, what: "a ROUTER names its next connection; a peer without a name sees a made-up id and answers", shown: [
    ["spec/28-router", "connect with a routing id: the peer can be sent to at once, whatever it calls itself"],
    ["spec/draft-options", "names the peer of the next connect(), and of no other"],
  ] },
  { number: 29, what: "the same when both have names of their own: the one that was given counts", shown: [["spec/28-router", "connect with a routing id: the peer can be sent to at once, whatever it calls itself"]] },
  { number: 30, what: "a name given to a connection does not mix up with a peer that was heard and not read", shown: [["spec/28-router", "connect with a routing id does not mix up with a peer that was heard under another name"]] },
  { number: 31, what: "routerNotify takes 0 to 3, nothing else, and only on a ROUTER", shown: [["spec/draft-options", "routerNotify takes 0 to 3, other values are EINVAL, and only a ROUTER has it"]] },
  { number: 32, what: "routerNotify: an empty message when a peer comes", shown: [["spec/draft-options", "routerNotify %i: an empty message when a peer comes (1), and when it goes (2)"]] },
  { number: 33, what: "routerNotify: an empty message when a peer goes", shown: [["spec/draft-options", "routerNotify %i: an empty message when a peer comes (1), and when it goes (2)"]] },
  { number: 34, what: "routerNotify: an empty message both", shown: [["spec/draft-options", "routerNotify %i: an empty message when a peer comes (1), and when it goes (2)"]] },
  { number: 35, what: "a message knows its peer, also when the socket was asked before whether one is there", shown: [["spec/additions-peer-state", "comes with each message, though the socket was asked before whether one is there (prefetch)"]] },
  { number: 36, what: "many short-lived DEALERs, each with a name of its own, get their replies (issue 566)", shown: [["spec/28-router", "answers many short-lived DEALERs of different names (libzmq issue 566)"]] },
  // PUB and SUB
  { number: 37, what: "an XPUB and an XSUB forward a subscription to everything, and an empty message back", shown: [["spec/29-xsub", "forwards a subscription for everything, and an empty message back (sub_forward)"]] },
  { number: 38, what: "verbose, one SUB: a repeated topic is told only then, from then on", shown: [["spec/29-xpub", "VERBOSE, one subscriber: a repeated topic is reported only then (xpub_verbose one sub)"]] },
  { number: 39, what: "verbose, two SUBs: the second one's topic is told only then", shown: [["spec/29-xpub", "VERBOSE, two subscribers (xpub_verbose two subs)"]] },
  { number: 40, what: "verboser, one SUB: cancellations are told once, for the subscriber counts", shown: [["spec/29-xpub", "VERBOSER, one subscriber (xpub_verboser one sub)"]] },
  { number: 41, what: "verboser, two SUBs: each one's subscription and cancellation is told only then", shown: [["spec/29-xpub", "VERBOSER, two subscribers (xpub_verboser two subs)"]] },
  { number: 42, what: "an XSUB passes on the last cancellation of a topic, and all of them, known or not, when told to", shown: [["spec/29-draft-options", "an XSUB passes on every unsubscription with it, and only the last of a topic without (xsub_verbose)"]] },
  { number: 43, over: I, what: "manual: a peer that asked for A and was given B gets B", shown: [["spec/29-xpub", "MANUAL: the application decides what a peer gets (manual basic)"]] },
  { number: 44, what: "manual: topics are mapped for each peer, and taken back; a peer that leaves is told", shown: [["spec/29-xpub", "MANUAL: topics are mapped per peer, and taken back one by one (manual unsubscribe)"]] },
  { number: 45, over: T, what: "manual in a proxy: two SUBs that leave are two cancellations, and the publisher stops", shown: [["spec/29-xpub", "MANUAL in a proxy: each subscriber that leaves is reported (manual proxy_unsubscribe_on_disconnect)"]] },
  { number: 46, what: "manual in a proxy: two topics of two SUBs both flow", shown: [["spec/29-xpub", "MANUAL in a proxy: two topics of two subscribers both flow (missing_subscriptions)"]] },
  { number: 47, what: "manual: what was mapped for a peer ends with it", shown: [["spec/29-xpub", "MANUAL: what was mapped for a peer ends with it (unsubscribe_cleanup)"]] },
  { number: 48, what: "what is no subscription reaches the XPUB unchanged", shown: [["spec/29-xpub", "SHALL deliver messages from its subscribers to its calling application"]] },
  { number: 49, what: "onlyFirstSubscribe: later frames that look like subscriptions are passed unaltered", shown: [["spec/29-draft-options", "a message whose later frames look like subscriptions is passed unaltered (user_message_multi)"]] },
  { number: 50, what: "manualLastValue: as manual, and the next message is for the last subscriber only", shown: [
    ["spec/29-draft-options", "the next message is for the last subscriber only, those after it are for all"],
    ["spec/29-draft-options", "the application decides what a peer gets (manual basic)"],
    ["spec/29-draft-options", "topics are mapped per peer, and taken back one by one (manual unsubscribe)"],
    ["spec/29-draft-options", "in a proxy each subscriber that leaves is reported (manual proxy_unsubscribe_on_disconnect)"],
    ["spec/29-draft-options", "in a proxy of two quick subscribers the second is the last (missing_subscriptions)"],
    ["spec/29-draft-options", "what was mapped for a peer ends with it (unsubscribe_cleanup)"],
  ] },
  { number: 51, what: "the welcome message comes first to a SUB that has subscribed to it", shown: [["spec/29-xpub", "WELCOME_MSG is the first message of every subscriber that has subscribed to it (welcome)"]] },
  { number: 52, what: "noDrop: 1999 of 2000 are sent and received; of what is sent until EAGAIN nothing is lost", shown: [["spec/29-xpub", "NODROP: what is below the mark is sent; of what is sent until EAGAIN nothing is lost (nodrop)"]] },
  { number: 53, what: "topics of 245 and 246 bytes, where a command's frame becomes a long one", shown: [
    ["spec/29-pubsub", "takes topics of %i bytes"],
    ["wire/traffic", "LONG in a subscription follows from the size of the whole body"],
  ] },
  { number: 54, what: "invertMatching, set on what is connected: each SUB gets what it did not ask for", shown: [["spec/29-pubsub", "INVERT_MATCHING on both sides passes what does not match"]] },
  { number: 55, what: "topicsCount, of topics that stand side by side", shown: [["spec/draft-options", "counts different topics at both ends: %j"]] },
  { number: 56, what: "topicsCount, of topics that begin with each other", shown: [["spec/draft-options", "counts different topics at both ends: %j"]] },
  { number: 57, over: ITP, what: "XPUB and SUB at a mark of 1000, set on what is connected: so many are taken and received", shown: [["spec/hwm", "XPUB at %i: as many are taken and received (57, 58)"]] },
  { number: 58, over: ITP, what: "XPUB and SUB at a mark of 100, set on what is connected: so many are taken and received", shown: [["spec/hwm", "XPUB at %i: as many are taken and received (57, 58)"]] },
  { number: 59, over: ITP, what: "XPUB with noDrop: 6000 messages all arrive, and it was full at times", shown: [["spec/hwm", "XPUB with noDrop: waits where it would have dropped, and everything arrives (59)"]] },
  { number: 60, over: ITP, what: "a queue below its mark takes as many again as were read", shown: [["spec/hwm", "the queue is free again for what has been received: 9999, then 1100 more at 11024 (60)"]] },
  { number: 61, what: "conflate: of twenty messages the last one is received", shown: [["spec/hwm", "conflate: a PULL that reads late finds the newest message only (61)"]] },
  { number: 62, over: I, what: "inproc: an XPUB sees each connect and disconnect of a SUB; three publications arrive, of two frames each", shown: [["spec/29-pubsub", "disconnect ends the subscriptions there, connect makes them again (disconnect_inproc)"]] },
  // PUSH, PULL and PAIR
  { number: 63, over: IT, what: "five PULLs get the first five messages of a PUSH, and the next five", shown: [["spec/30-pipeline", "SHALL route outgoing messages to available peers using a round-robin strategy (peers connect)"]] },
  { number: 64, over: IT, what: "a PULL takes one message of each of five PUSHes before the second ones", shown: [["spec/30-pipeline", "SHALL receive incoming messages from its peers using a fair-queuing strategy"]] },
  { number: 65, what: "a PUSH without peers is EAGAIN, at once or after its timeout", shown: [["spec/30-pipeline", "SHALL block on sending, or return a suitable error, when it has no available peers"]] },
  { number: 66, over: IT, what: "of a message of 16 MiB parts whose peer leaves no part is seen (waiting)", shown: [["spec/30-pipeline", "SHALL drop or deliver a multipart message whole when its peer leaves (%s)"]] },
  { number: 67, over: IT, what: "of a message of 16 MiB parts whose peer leaves no part is seen (trying)", shown: [["spec/30-pipeline", "SHALL drop or deliver a multipart message whole when its peer leaves (%s)"]] },
  { number: 68, over: ITP, what: "two PAIRs bounce, also by the name of the host", shown: [
    ["spec/31-expair", "MAY both send and receive, in any order, and SHALL not filter or modify"],
    ["spec/31-expair", "meets by the name of the host"],
  ] },
  { number: 69, over: P, what: "a path of 108 characters is ENAMETOOLONG", shown: [["spec/endpoints", "a path of 108 characters or more is ENAMETOOLONG (69)"]] },
  { number: 70, over: T, what: "connect first, bind later", shown: [["spec/endpoints", "connect first, bind later (70)"]] },
  // Marks and timeouts
  { number: 71, over: I, what: "marks: at the defaults 2000 are taken and received", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 72, over: I, what: "marks: without marks, bound first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 73, over: I, what: "marks: without marks, connected first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 74, over: I, what: "marks: 1 to send and no mark to receive, bound first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 75, over: I, what: "marks: 1 to send and no mark to receive, connected first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 76, over: I, what: "marks: no mark to send and 1 to receive, bound first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 77, over: I, what: "marks: no mark to send and 1 to receive, connected first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 78, over: I, what: "marks: 1 and 1 take 2, and then go on, bound first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 79, over: I, what: "marks: 1 and 1 take 2, and then go on, connected first", shown: [["spec/hwm", "%o takes %i messages (71 to 79)"]] },
  { number: 80, over: I, what: "at a mark of 1 a message sent and closed before the other side binds is received", shown: [["spec/hwm", "what was sent and closed before the other side bound is received then: 1 message at mark 1 (80)"]] },
  { number: 81, over: I, what: "marks set before connecting add up", shown: [["spec/hwm", "marks may be set before connecting: 2 + 2 is 4 (81)"]] },
  { number: 82, over: I, what: "a mark raised on a live pipe counts", shown: [["spec/hwm", "marks may be raised on a live pipe: 1 + 1, then 5 + 1 is 6 (82)"]] },
  { number: 83, over: I, what: "a mark lowered while the pipe is full loses nothing, and counts once it is drained", shown: [["spec/hwm", "a mark lowered while the pipe is full holds after it has been drained (83)"]] },
  { number: 84, what: "without immediate an endpoint that is not there takes its share of the messages", shown: [["spec/hwm", "off: a queue for a peer that is not there takes its share of the messages (84)"]] },
  { number: 85, what: "with immediate all messages go to the one that is there", shown: [["spec/hwm", "on: every message goes to the peer that is there (85)"]] },
  { number: 86, what: "with immediate a send is EAGAIN when the peer has left, and flows when it is back", shown: [["spec/hwm", "on: without a peer a send fails, and flows again when the peer is back (86)"]] },
  { number: 87, what: "receiveTimeout lasts, and sendTimeout does not matter when a peer is there", shown: [["spec/hwm", "a timeout of 0 does not wait, one of 250 ms does, and neither counts when there is a peer (87)"]] },
  // Lifecycle and contexts
  { number: 88, what: "a context without sockets closes at once", shown: [["spec/additions-ending", "is done at once when it has none (ctx_destroy)"]] },
  { number: 89, what: "closing wakes a receive that waits", shown: [
    ["spec/lifecycle", "wakes a receive that waits (89)"],
    ["spec/additions-ending", "closes all of its sockets and no other, and wakes what waits in them"],
  ] },
  { number: 90, what: "after that nothing works any more: no call, and no further socket of the context", shown: [
    ["spec/lifecycle", "is done at once, once, and for good: every call on a closed socket fails (90)"],
    ["spec/additions-ending", "makes no further sockets"],
  ] },
  { number: 91, what: "who waits for many messages is woken as well", shown: [["spec/lifecycle", "ends an iteration (91)"]] },
  { number: 92, what: "a context's defaults and ranges, and what its sockets get of them", shown: [
    ["spec/options", "have libzmq's defaults"],
    ["spec/options", "refuse what is out of range with EINVAL, and the wrong type with a TypeError"],
    ["spec/options", "give their sockets ipv6, and linger 0 when not blocky"],
  ] },
  { number: 93, what: "ten rounds of sockets that close while they connect", shown: [["spec/lifecycle", "while it connects, many at a time, ten times over (93)"]] },
  { number: 94, what: "one socket too many is EMFILE", shown: [["spec/lifecycle", "give EMFILE beyond maxSockets, and room again when a socket closes (94)"]] },
  { number: 95, over: TP, what: "an interval of -1 never connects again; by hand it does", shown: [["spec/lifecycle", "an interval of -1 never does; a connect by hand works (95)"]] },
  { number: 96, what: "an interval of a minute: delay, connect, handshake; when the server closes disconnect and retry, then silence", shown: [["spec/monitor", "of a client: connect, handshake, and when the server goes disconnect and connect:retry"]] },
  { number: 97, what: "when the server is back: connect, handshake, silence", shown: [["spec/monitor", "of a client whose server comes back: disconnect, connect:retry, then connect and handshake"]] },
  { number: 98, what: "reconnectStop 1: a refusal is the end", shown: [
    ["spec/draft-options", "%i: connecting again after a refusal is %s"],
    ["spec/draft-options", "1: a server that was there and does not come back ends it: disconnect, retry, and one attempt more"],
  ] },
  { number: 99, what: "reconnectStop 2: a failed handshake is the end, told by its error and disconnect", shown: [["spec/draft-options", "%i: connecting again after a failed handshake is %s"]] },
  { number: 100, over: P, what: "reconnectStop 4: after disconnect() no attempt is made, also by an abstract name", shown: [["spec/draft-options", "4: after disconnect() no attempt is made (%s)"]] },
  // Endpoints
  { number: 101, what: "after unbind a send is EAGAIN", shown: [["spec/endpoints", "after unbind a peer that connected is gone, and a send finds nobody (101)"]] },
  { number: 102, what: "after disconnect a send is EAGAIN", shown: [["spec/endpoints", "after disconnect a send finds nobody (102)"]] },
  { number: 103, over: TP, what: "unbind takes lastEndpoint", shown: [["spec/endpoints", "unbind takes what lastEndpoint says, once (103)"]] },
  { number: 104, over: TP, what: "unbind of a wildcard is ENOENT", shown: [
    ["spec/endpoints", "%s: lastEndpoint can be connected to, disconnected and unbound; the wildcard cannot be unbound (104, 105, 107)"],
    ["spec/endpoints", "ipc://* is a new path, that can be connected to and unbound; the wildcard cannot (103, 104, 114)"],
  ] },
  { number: 105, over: T, what: "lastEndpoint of tcp://*:* can be connected to, and unbound", shown: [["spec/endpoints", "%s: lastEndpoint can be connected to, disconnected and unbound; the wildcard cannot be unbound (104, 105, 107)"]] },
  { number: 106, over: T, what: "lastEndpoint of tcp://*:*, with ipv6, can be connected to, and unbound", shown: [["spec/endpoints", "%s with ipv6: lastEndpoint can be connected to, disconnected and unbound (106, 108, 109)"]] },
  { number: 107, over: T, what: "lastEndpoint of tcp://127.0.0.1:* can be connected to, and unbound", shown: [["spec/endpoints", "%s: lastEndpoint can be connected to, disconnected and unbound; the wildcard cannot be unbound (104, 105, 107)"]] },
  { number: 108, over: T, what: "lastEndpoint of tcp://127.0.0.1:*, with ipv6, can be connected to, and unbound", shown: [["spec/endpoints", "%s with ipv6: lastEndpoint can be connected to, disconnected and unbound (106, 108, 109)"]] },
  { number: 109, over: T, what: "lastEndpoint of tcp://[::1]:* can be connected to, and unbound", shown: [["spec/endpoints", "%s with ipv6: lastEndpoint can be connected to, disconnected and unbound (106, 108, 109)"]] },
  { number: 110, what: "lastEndpoint is the newest of several", shown: [["spec/endpoints", "one socket binds to several addresses; lastEndpoint is the newest (110)"]] },
  { number: 111, what: "which addresses connect takes, and how the others fail", shown: [
    ["spec/endpoints", "connect takes %s, whether or not there is such a host"],
    ["spec/endpoints", "connect to %j throws %s at once, and the error names the address (111)"],
    ["spec/endpoints", "connects by a host's name, and from a source address (111, 112)"],
  ] },
  { number: 112, over: T, what: "an address to connect from, before the one to connect to", shown: [["spec/endpoints", "connects by a host's name, and from a source address (111, 112)"]] },
  { number: 113, over: T, what: "who may connect, by ranges of addresses", shown: [
    ["spec/accept-filter", "%j is EINVAL"],
    ["spec/accept-filter", "%j lets a local peer in"],
    ["spec/accept-filter", "keeps who is outside out: accept:error here, a failed handshake and another try there"],
  ] },
  { number: 114, over: P, what: "ipc: wildcards, abstract names, and a second socket that takes a path over", shown: [
    ["spec/endpoints", "ipc://* is a new path, that can be connected to and unbound; the wildcard cannot (103, 104, 114)"],
    ["spec/endpoints", "ipc://@name is an abstract address, without a file (114)"],
    ["spec/endpoints", "a second socket takes the path over while the first is still open (114)"],
  ] },
  // inproc
  { number: 115, over: I, what: "inproc: both orders, what is lost before a bind and what is not, names, made-up ids, endings", shown: [
    ["spec/inproc", "meets when %s comes first"],
    ["spec/inproc", "a PUB that connected first drops what it published before the SUB bound, and no more"],
    ["spec/inproc", "ten PUSHes that connected and sent first all reach the PULL that binds"],
    ["spec/inproc", "a name can be bound once, until it is unbound or its socket closes"],
    ["spec/inproc", "a peer without a name gets one of five bytes"],
    ["spec/additions-ending", "does not wait for inproc names that nobody has bound, though something is queued for them"],
    ["spec/additions-ending", "ends a bind that waits for others, and those who wait in it (shutdown_during_pend)"],
  ] },
  // Metadata, events, STREAM
  { number: 116, what: "of each message its peer's socket type and address are known, and nothing that it did not say", shown: [
    ["spec/additions-peer-state", "comes with each message, though the socket was asked before whether one is there (prefetch)"],
    ["spec/additions-peers", "tell where, what, who and since when"],
  ] },
  { number: 116, part: "from ZAP", what: "the user id and what else an authenticator says", later: CURVE },
  { number: 117, what: "metadata of one's own both ways; what is no X-name:value is EINVAL", shown: [
    ["spec/draft-options", "%j is EINVAL"],
    ["spec/additions-peer-state", "is known on both sides, and what it did not say is not there (app_meta)"],
    ["spec/draft-options", "is in the READY of this side, with what was there before"],
  ] },
  { number: 118, what: "the order of events of a client and of a server", shown: [
    ["spec/monitor", "of a server: bind, accept, handshake, disconnect, and close when it unbinds"],
    ["spec/monitor", "of a client: connect, handshake, and when the server goes disconnect and connect:retry"],
  ] },
  { number: 119, over: TP, what: "events name their addresses, over tcp with IPv4 and IPv6 and over ipc; what waits for each of four peers", shown: [
    ["spec/monitor", "of a server: bind, accept, handshake, disconnect, and close when it unbinds"],
    ["spec/monitor", "name the endpoint as it was bound and connected to, on both sides"],
    ["spec/additions-peer-state", "counts what waits for each of four peers, on both sides (monitor_versioned_stats)"],
  ] },
  { number: 120, what: "STREAM: its basics, notices, close by an empty message", later: STREAM },
  // Security
  { number: 121, what: "NULL and PLAIN with and without an authenticator", shown: [
    ["spec/zap", "without a domain nobody is asked"],
    ["spec/zap", "200: the handler is asked in seven frames or more, and the peers talk"],
    ["spec/zap", "a domain that the handler does not know: 400"],
    ["spec/zap", "the right password comes in, a wrong one does not"],
    ["spec/zap", "a client that is a server as well waits with the other one"],
  ] },
  { number: 122, what: "CURVE with right and wrong keys", shown: [
    ["spec/zap", "a client whose key the handler does not know: 400 on both sides"],
    ["wire/curve", "%s"],
  ] },
  { number: 123, what: "an authenticator that answers wrongly", shown: [["spec/zap", "300: the server hears it, the client nothing"]] },
  { number: 124, what: "an authenticator that is not there, leaves, or says nothing", shown: [
    ["spec/zap", "zapEnforceDomain and nobody to ask: EFAULT"],
    ["spec/zap", "nobody to ask, and nothing enforced: NULL and CURVE let everybody in, PLAIN nobody"],
    ["spec/zap", "a handler that leaves before it answers: EPIPE"],
    ["spec/zap", "a handler that never answers is waited for until the handshake's time is up"],
  ] },
  // The rest
  { number: 125, part: "proxy", what: "many clients and workers by a proxy, each message captured", shown: [
    ["spec/proxy", "ROUTER and DEALER: carries requests to a service and the replies back"],
    ["spec/additions-proxy", "sends every message to the capture socket, too, either way"],
  ] },
  { number: 125, part: "proxy_hwm", what: "a slow SUB behind a proxy stops the publisher at two to four marks, and gets everything", shown: [["spec/proxy", "XSUB and XPUB with NODROP: a slow subscriber stops the publisher, and loses nothing (proxy_hwm)"]] },
  { number: 125, part: "proxy_single_socket", what: "a REP that is both sides of a proxy echoes", shown: [["spec/additions-proxy", "REP for both sides: sends each request back as its reply (proxy_single_socket)"]] },
  { number: 125, part: "proxy_terminate", what: "a proxy ends when it is told to", shown: [["spec/proxy", "ends when it is terminated while it is paused, or nobody is at the back-end"]] },
  { number: 125, part: "proxy_steerable", what: "a proxy counts what passes, pauses and goes on", shown: [
    ["spec/additions-proxy", "counts messages and bytes at both sockets, in and out"],
    ["spec/additions-proxy", "takes nothing while it is paused, and all of it afterwards"],
  ] },
  { number: 125, part: "timers", what: "zmq_timers: cancel, reset, set_interval, order", notPortable: "JavaScript has timers of its own" },
  { number: 125, part: "z85", what: "the text form of keys", shown: [["wire/z85", "nothing is nothing"]] },
  { number: 125, part: "client_server", what: "CLIENT and SERVER: one frame only, a routing id that is not zero, the reply", shown: [
    ["spec/41-client-server", "a SERVER SHALL know its peers by a routing id, and answer each by its own"],
    ["spec/41-client-server", "messages of more than one frame are EINVAL"],
  ] },
  { number: 125, part: "channel", what: "CHANNEL: both ways, one frame only", shown: [
    ["spec/52-channel", "MAY both send and receive, in any order"],
    ["spec/52-channel", "SHALL NOT accept messages when its peer is full, nor discard any, nor send more than one frame"],
  ] },
  { number: 125, part: "scatter_gather", what: "SCATTER and GATHER: round robin, one frame only", shown: [
    ["spec/49-scatter-gather", "a SCATTER SHALL route round-robin to its available peers"],
    ["spec/49-scatter-gather", "messages of more than one frame are EINVAL"],
  ] },
  { number: 125, part: "peer", what: "PEER: the reply has the routing id that connectPeer() gave", shown: [["spec/51-peer", "who connects has the routing id at once, and both can begin"]] },
  { number: 125, part: "peer_disconnect", what: "a peer that was disconnected is EHOSTUNREACH", shown: [["spec/additions-peer-state", "cannot be sent to any more: EHOSTUNREACH, by a PEER and by a ROUTER (peer_disconnect)"]] },
  { number: 125, part: "hello_msg", over: IT, what: "the hello message, also when the server binds later", shown: [
    ["spec/draft-messages", "of a bound ROUTER comes first to a DEALER that connects"],
    ["spec/draft-messages", "of a SERVER and a CLIENT come first, also when the server binds later"],
  ] },
  { number: 125, part: "disconnect_msg", over: IT, what: "the disconnect message, when the peer closes or disconnects", shown: [["spec/draft-messages", "comes to a SERVER from a CLIENT that leaves by %s()"]] },
  { number: 125, part: "hiccup_msg", over: T, what: "the hiccup message, when the server is gone", shown: [["spec/draft-messages", "comes to a CLIENT when its server is gone, and again each time"]] },
  { number: 125, part: "radio_dish", what: "RADIO and DISH: joining twice, leaving what was not joined, groups that are too long; filters; leaving", shown: [
    ["spec/48-radio-dish", "joining twice, and leaving a group that was not joined, are EINVAL"],
    ["spec/48-radio-dish", "a DISH gets the groups that it joined %s it connected, whole names only"],
    ["spec/48-radio-dish", "a DISH that left a group gets nothing of it"],
  ] },
  { number: 125, part: "radio_dish over udp", what: "the same by datagrams, with multicast", later: UDP },
  { number: 125, part: "dgram", what: "datagrams with the address that they come from", later: UDP },
  { number: 125, part: "ws", what: "roundtrips, sizes and heartbeats over websockets", later: WS },
  { number: 125, part: "wss", what: "the same over TLS", later: WS },
  { number: 125, part: "socks", over: T, what: "by a SOCKS5 proxy: addresses and names, user and password or none, one that answers slowly", shown: [
    ["spec/socks", "takes messages to %s"],
    ["spec/socks", "takes messages to an IPv6 address"],
    ["spec/socks", "may answer a byte at a time"],
    ["spec/socks", "takes a user name and a password"],
  ] },

  // Byte for byte
  { part: "mock_pub_sub/sub_command, sub_legacy", over: T, what: "a raw SUB of 3.1 subscribes by a command, one of 3.0 by a message; the XPUB hears 01 A, and its message comes", shown: [["spec/37-zmtp", "is heard when it subscribes: of ZMTP %s"]] },
  { part: "mock_pub_sub/pub_command, pub_legacy", over: T, what: "a raw XPUB of 3.1 is subscribed to by a command, one of 3.0 by a message", shown: [["spec/37-zmtp", "of ZMTP %s"]] },
  { part: "heartbeats/timeout_router, timeout_rep", over: T, what: "a peer that answers no PING is disconnected after it was accepted", shown: [["spec/37-zmtp", "end a peer that answers none: accept, then disconnect (%s)"]] },
  { part: "heartbeats/mock_ping", over: T, what: "a PONG brings the context back, up to 16 bytes of it", shown: [["spec/37-zmtp", "is answered by a PONG with up to 16 bytes of its context, between messages (mock_ping)"]] },
  { part: "heartbeats/ttl", over: T, what: "a time to live ends the connection at a peer without heartbeats, for five pairs of types", shown: [["spec/37-zmtp", "a time to live below the interval ends a %s at a %s that sends none"]] },
  { part: "heartbeats/notimeout", over: T, what: "heartbeats keep an idle connection, for five pairs of types", shown: [["spec/37-zmtp", "keep an idle %s at a %s, whoever sends them"]] },
  { part: "heartbeats/notimeout with CURVE", what: "the same, encrypted", shown: [["wire/sealed", "PING is answered by a sealed PONG, both ways"]] },
  { part: "heartbeats/setsockopt", what: "a time to live counts in tenths of a second, up to 6553599 ms", shown: [["spec/options", "heartbeatTimeToLive counts tenths of a second: below 100 ms is none, 6553599 is the most"]] },
  { part: "stream/stream_to_dealer, stream_to_stream", what: "a STREAM that speaks ZMTP by hand to a DEALER; two that speak HTTP", later: STREAM },
  { part: "stream_disconnect, stream_empty, stream_exceeds_buffer, stream_timeout", what: "how a STREAM closes, cuts what is long, and waits", later: STREAM },
  { part: "ready", over: T, what: "READY and greeting are those of libzmq, byte for byte", shown: [["spec/37-zmtp", "%s to a %s"], ["wire/handshake", "of libzmq's DEALER, ROUTER, REQ, XPUB and SUB"]] },
  { part: "security_curve", what: "broken HELLOs and INITIATEs, messages without a handshake, other mechanisms, wrong keys", shown: [
    ["spec/zap", "a client of another mechanism: mechanism mismatch, and nobody is asked"],
    ["wire/curve", "goes on when its bytes come one by one"],
    ["wire/sealed", "with MORE or COMMAND outside ends the connection"],
  ] },
  { part: "security_null, security_plain", what: "a raw 1.0 peer at a socket that authenticates is not heard", shown: [["wire/plain", "and another mechanism do not come together, nor with a peer of ZMTP 1.0 or 2.0"]] },
  { part: "router_notify/handshake_fail", over: T, what: "a peer that sends no handshake and leaves is not told of", shown: [["spec/draft-options", "routerNotify says nothing of a peer that does not finish its handshake"]] },
  { part: "router_notify/error_during_multipart", over: T, what: "of a message that ends its connection in the middle nothing is seen but that the peer is gone", shown: [["spec/draft-options", "routerNotify in the middle of a message that cannot be: only the empty one (error_during_multipart)"]] },
  { part: "bind_null_fuzzer, connect_null_fuzzer", what: "random bytes end a connection and nothing else", shown: [
    ["fuzz/engine", "any stream, in any pieces"],
    ["fault/handshake", "each of these, one byte at a time"],
    ["fault/handshake", "200 strangers of all kinds leave nothing behind"],
  ] },
  { part: "bind_curve_fuzzer, connect_curve_fuzzer", what: "the same with CURVE", later: CURVE },
  { part: "bind_stream_fuzzer, connect_stream_fuzzer", what: "the same with STREAM", later: STREAM },
  { part: "bind_ws_fuzzer, connect_ws_fuzzer", what: "the same with ws", later: WS },
  { part: "connect_rid", over: T, what: "a connection that was given its peer's id", shown: [["spec/28-router", "connect with a routing id names that connection only"]] },
  { part: "socks", what: "what is said to a SOCKS5 proxy and heard of it", shown: [["spec/socks", "takes messages to %s"], ["transport/socks", "the longest name"]] },
]
