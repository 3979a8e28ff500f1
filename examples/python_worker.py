"""A whole consumer of the pipeline, on pyzmq; what it says and hears is in patterns/pipeline/PROTOCOL.md.

Its work has a thread of its own, so that PING goes out however long it takes. With a prefetch of 1 no job waits here,
so no lease has to be extended. python-worker.ts starts it with the address of a producer; SIGTERM ends it.
"""
import json, queue, signal, sys, threading, time, uuid
import zmq

def handle(job):
    return sum(job["numbers"]) / job["divisor"]

def work():
    told = context.socket(zmq.PUSH)
    told.connect("inproc://told")
    while True:
        tag, body = jobs.get()
        try:
            end = [b"PL1 ACK", tag, json.dumps(handle(json.loads(body))).encode()]
        except Exception as error:
            end = [b"PL1 NACK", tag, json.dumps({"reason": str(error)}).encode()]
        told.send_multipart(end)

def hello():
    global n, session
    n, session = n + 1, None
    holding = [tag.decode() for tag in [*held, *ends]]
    terms = {"consumer": name, "n": n, "prefetch": 1, "concurrency": 1, "holding": holding}
    dealer.send_multipart([b"PL1 HELLO", json.dumps(terms).encode()])

context, jobs, name = zmq.Context(), queue.Queue(), uuid.uuid4().hex
told = context.socket(zmq.PULL)
told.bind("inproc://told")
dealer, n, session, beat = None, 0, None, 1.0  # no session: not welcome yet, or not any more
held, ends = set(), {}  # the tags that are in work, and what was said of others until DONE or STALE
threading.Thread(target=work, daemon=True).start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
try:
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
            end = told.recv_multipart()
            if end[1] in held:  # otherwise somebody else does it by now
                held.remove(end[1])
                ends[end[1]] = end
                if session: dealer.send_multipart(end)
        if dealer not in ready: continue
        command, *frames = dealer.recv_multipart()
        heard = time.monotonic()
        if command == b"PL1 WELCOME":
            said = json.loads(frames[0])
            if said["n"] == n:
                session, beat = said["session"], said["heartbeat"] / 1000
                held &= {tag.encode() for tag in said["kept"]}
                for end in ends.values(): dealer.send_multipart(end)
            elif session: hello()
        elif command == b"PL1 JOB" and session:
            job = json.loads(frames[0])
            tag = job["tag"].encode()
            if job["tag"].startswith(session + "-") and tag not in held and tag not in ends:
                held.add(tag)
                jobs.put((tag, frames[1]))
        elif command in (b"PL1 DONE", b"PL1 STALE"):
            for tag in frames[0].split():
                ends.pop(tag, None)
                held.discard(tag)
        elif command == b"PL1 WHO" and session: hello()
        elif command == b"PL1 BYE": session = None
        elif command == b"PL1 REFUSED": sys.exit(frames[0].decode())
finally:
    dealer.send(b"PL1 BYE")
    context.destroy(linger=1000)
