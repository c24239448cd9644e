// The gRPC server under test: answers every call of every method with the message that it received.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <string>

namespace {

// Deletes itself, like the library's reactors.
class Call : public grpc::ServerGenericBidiReactor {
 public:
  Call() { StartRead(&message_); }
  void OnReadDone(bool ok) override {
    if (ok)
      StartWriteAndFinish(&message_, {}, grpc::Status::OK);
    else
      Finish(grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer message_;
};

class Echo : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override { return new Call; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tailcap-bench-grpc PORT\n");
    return 2;
  }
  Echo service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::string(argv[1]), grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  server->Wait();
}
