"""A gRPC server on Google's own library. It prints its port, serves until its input ends, then prints what it counted."""

import collections
import concurrent.futures
import json
import sys
import threading

import grpc

counts = collections.Counter()
lock = threading.Lock()


def count(name):
    with lock:
        counts[name] += 1
        return counts[name]


def echo(request, context):
    count("echo")
    return request


def user(request, context):
    given = dict(context.invocation_metadata()).get("x-user", "nobody")
    count("user " + given)
    return given.encode()


def fail(request, context):
    count("fail")
    context.abort(grpc.StatusCode.UNAVAILABLE, "not today")


def every_fourth(request, context):
    if count("every fourth") % 4 == 0:
        context.abort(grpc.StatusCode.NOT_FOUND, "the fourth")
    return b""


def deadline(request, context):
    left = context.time_remaining()
    if left is None or not 3 < left <= 5.1:
        count("wrong deadline")
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{left} s left")
    count("deadline")
    return b""


def hang(request, context):
    count("hang")
    done = threading.Event()
    context.add_callback(done.set)
    done.wait()
    return b""


METHODS = {
    "/test.Calls/Echo": echo,
    "/test.Calls/User": user,
    "/test.Calls/Fail": fail,
    "/test.Calls/EveryFourth": every_fourth,
    "/test.Calls/Deadline": deadline,
    "/test.Calls/Hang": hang,
}


class Calls(grpc.GenericRpcHandler):
    def service(self, details):
        method = METHODS.get(details.method)
        return method and grpc.unary_unary_rpc_method_handler(method)


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(32))
    server.add_generic_rpc_handlers((Calls(),))
    if len(sys.argv) > 1:
        key, chain = (open(path, "rb").read() for path in sys.argv[1:3])
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0).wait()
    print(json.dumps(counts), flush=True)


main()
