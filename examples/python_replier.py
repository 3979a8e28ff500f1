"""Methods in Python for clients of Peerlane: a plain REP, one JSON message in, one out."""
import zmq

methods = {"add": lambda a, b: a + b, "divide": lambda a, b: a / b}
reply = zmq.Context().socket(zmq.REP)
reply.bind("tcp://127.0.0.1:*")
print(reply.get_string(zmq.LAST_ENDPOINT), flush=True)
while True:
    question = reply.recv_json()
    method = methods.get(question["method"])
    if method is None:  # without a name: it was not begun
        reply.send_json({"error": {"code": "ENOENT", "message": "there is no method " + question["method"]}})
        continue
    try: reply.send_json({"result": method(**question["argument"])})
    except Exception as error:
        reply.send_json({"error": {"code": "EREMOTE", "message": str(error), "name": type(error).__name__}})
