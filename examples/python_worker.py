"""A whole consumer of the pipeline, on pyzmq; what it says and hears is in patterns/pipeline/PROTOCOL.md. Its work has a
thread of its own: PING goes out however long that takes. It holds one job at a time: none waits, no lease is extended."""
import json, queue, signal, sys, threading, time, uuid, zmq

def handle(job):
    return sum(job["numbers"]) / job["divisor"]

def work():
    (told := context.socket(zmq.PUSH)).connect("inproc://told")
    while True:
        tag, body = jobs.get()
        if tag not in held: continue  # somebody else does it by now
        try: end = [b"PL1 ACK", tag, json.dumps(handle(json.loads(body))).encode()]
        except Exception as error: end = [b"PL1 NACK", tag, json.dumps({"reason": str(error)}).encode()]
        told.send_multipart(end)

def hello():
    global n, session
    n, session = n + 1, None
    terms = {"consumer": name, "n": n, "prefetch": 1, "concurrency": 1, "holding": [tag.decode() for tag in held]}
    dealer.send_multipart([b"PL1 HELLO", json.dumps(terms).encode()])

context, jobs, name, dealer = zmq.Context(), queue.Queue(), uuid.uuid4().hex, None
(told := context.socket(zmq.PULL)).bind("inproc://told")
n, beat, session = 0, 1.0, None  # no session: not welcome yet, or not any more
held = {}  # what was said of each job, until DONE or STALE; None: it is in work
threading.Thread(target=work, daemon=True).start()
signal.signal(signal.SIGTERM, lambda *_: (dealer.send(b"PL1 BYE"), context.destroy(linger=1000), sys.exit()))
while True:
    now = time.monotonic()
    if dealer is None or now - heard > 3 * beat:  # silence: the connection may be dead without saying so
        if dealer: dealer.close(linger=0)
        dealer, heard, due, session = context.socket(zmq.DEALER), now, now, None
        dealer.connect(sys.argv[1])
    if now >= due:
        due = now + beat
        dealer.send(b"PL1 PING") if session else hello()
    ready, _, _ = zmq.select([told, dealer], [], [], max(0, due - now))
    if told in ready:
        _, tag, _ = end = told.recv_multipart()
        if tag in held: held[tag] = end  # otherwise somebody else does it by now
        if tag in held and session: dealer.send_multipart(end)
    if dealer not in ready: continue
    command, *frames = dealer.recv_multipart()
    heard = time.monotonic()
    if command == b"PL1 WELCOME" and (said := json.loads(frames[0]))["n"] == n:
        session, beat, due = said["session"], said["heartbeat"] / 1000, heard  # it counts our silence in its own beats
        held = {tag: end for tag, end in held.items() if end or tag.decode() in said["kept"]}
        for end in filter(None, held.values()): dealer.send_multipart(end)
    elif command in (b"PL1 WELCOME", b"PL1 WHO") and session: hello()
    elif command == b"PL1 JOB" and session:
        for tag, body in zip((head["tag"].encode() for head in json.loads(frames[0])), frames[1:]):
            if tag.startswith(session.encode() + b"-") and tag not in held:
                held[tag] = None
                jobs.put((tag, body))
    elif command in (b"PL1 DONE", b"PL1 STALE"):
        for tag in frames[0].split(): held.pop(tag, None)
    elif command == b"PL1 BYE": session = None
    elif command == b"PL1 REFUSED": sys.exit(frames[0].decode())
