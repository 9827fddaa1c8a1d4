"""A gRPC server on Google's own library that describes itself: reflection, the health service, and a service whose methods
stream in every direction. It prints its port, serves until its input ends, then prints what it counted."""

import collections
import concurrent.futures
import json
import sys
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

counts = collections.Counter()
lock = threading.Lock()


def count(name, by=1):
    with lock:
        counts[name] += by


def described():
    file = descriptor_pb2.FileDescriptorProto(name="test/shop.proto", package="test.shop", syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    part = file.message_type.add(name="Part")
    field = descriptor_pb2.FieldDescriptorProto
    one = field.LABEL_OPTIONAL
    part.field.add(name="name", number=1, type=field.TYPE_STRING, label=one)
    part.field.add(name="count", number=2, type=field.TYPE_INT32, label=one)
    at = ".google.protobuf.Timestamp"
    part.field.add(name="made_at", number=3, type=field.TYPE_MESSAGE, type_name=at, label=one)
    shop = file.service.add(name="Shop")
    for name, takes, gives in [("One", 0, 0), ("Down", 0, 1), ("Up", 1, 0), ("Both", 1, 1)]:
        shop.method.add(
            name=name,
            input_type=".test.shop.Part",
            output_type=".test.shop.Part",
            client_streaming=bool(takes),
            server_streaming=bool(gives),
        )
    return file


pool = descriptor_pool.Default()
pool.AddSerializedFile(described().SerializeToString())
Part = message_factory.GetMessageClass(pool.FindMessageTypeByName("test.shop.Part"))


def one(request, context):
    count("one")
    count("made " + str(request.made_at.seconds))
    if request.name == "gone":
        context.abort(grpc.StatusCode.NOT_FOUND, "gone")
    return request


def down(request, context):
    count("down")
    for number in range(request.count):
        yield Part(name=request.name, count=number)


def up(requests, context):
    names = [request.name for request in requests]
    count("up")
    count("up messages", len(names))
    return Part(name=",".join(names), count=len(names))


def both(requests, context):
    count("both")
    for request in requests:
        count("both messages")
        yield request


class Shop(grpc.GenericRpcHandler):
    def service(self, details):
        make, method = {
            "/test.shop.Shop/One": (grpc.unary_unary_rpc_method_handler, one),
            "/test.shop.Shop/Down": (grpc.unary_stream_rpc_method_handler, down),
            "/test.shop.Shop/Up": (grpc.stream_unary_rpc_method_handler, up),
            "/test.shop.Shop/Both": (grpc.stream_stream_rpc_method_handler, both),
        }.get(details.method, (None, None))
        return make and make(method, Part.FromString, Part.SerializeToString)


def main():
    packs = grpc.Compression.Gzip if "gzip" in sys.argv else grpc.Compression.NoCompression
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(32), compression=packs)
    server.add_generic_rpc_handlers((Shop(),))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    servicer.set("test.shop.Shop", health_pb2.HealthCheckResponse.NOT_SERVING)
    names = ["test.shop.Shop", health.SERVICE_NAME, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0).wait()
    print(json.dumps(counts), flush=True)


main()
