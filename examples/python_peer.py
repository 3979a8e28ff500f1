"""The Python side of python.ts: answers questions on a REP socket, hears numbers on a SUB socket."""

import sys

import zmq

context = zmq.Context()
questions = context.socket(zmq.REP)
questions.connect(sys.argv[1])
numbers = context.socket(zmq.SUB)
numbers.setsockopt(zmq.SUBSCRIBE, b"n")
numbers.connect(sys.argv[2])

running = True
while running:
    command, *arguments = questions.recv_multipart()
    if command == b"reverse":
        answer = [word[::-1] for word in arguments]
    elif command == b"sum":
        heard = [int(numbers.recv_multipart()[1]) for _ in range(int(arguments[0]))]
        answer = [b"%d numbers" % len(heard), b"%d" % sum(heard)]
    else:
        answer = [b"bye"]
        running = False
    questions.send_multipart(answer)

context.destroy(linger=1000)
