"""Calls methods of a Peerlane service with a plain REQ: one JSON message there, one back."""
import json, sys, zmq

def call(method, argument=None, timeout=5000):
    request.send_json({"method": method, "argument": argument, "timeout": timeout})
    answer = request.recv_json()
    if "error" in answer: raise RuntimeError(answer["error"]["code"] + ": " + answer["error"]["message"])
    return answer["result"]

request = zmq.Context().socket(zmq.REQ)
request.connect(sys.argv[1])
print("Python adds:", call("add", {"a": 1, "b": 2}))
try: call("divide", {"a": 1, "b": 0})
except RuntimeError as error: print("Python is told:", error)
