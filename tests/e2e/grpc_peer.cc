// grpc_peer.py's server and client once more, on grpc++ and without generated code; the same log, the same paths.
//
//     grpc-peer serve PORT
//     grpc-peer call PORT CALLS      waits for SIGUSR1 first
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using grpc::ByteBuffer;
using grpc::Status;
using grpc::StatusCode;

const std::string kMessage = "100 % of \xc3\xbc\nare gone";
std::mutex output;

ByteBuffer message(std::size_t bytes, char fill) {
  const grpc::Slice slice(std::string(bytes, fill));
  return {&slice, 1};
}

std::string list(const std::vector<std::size_t>& sizes) {
  std::string text = "[";
  for (const std::size_t n : sizes) text += (text.size() > 1 ? "," : "") + std::to_string(n);
  return text + "]";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text)
    out += c == '\n' ? std::string("\\n") : c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

void tell(const std::string& line) {
  const std::lock_guard lock(output);
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// One call at the server: reads all messages, then answers as the path says.
class Served : public grpc::ServerGenericBidiReactor {
 public:
  explicit Served(grpc::GenericCallbackServerContext* context) : path_(context->method()) {
    const auto id = context->client_metadata().find("x-request-id");
    if (id != context->client_metadata().end()) id_.assign(id->second.data(), id->second.size());
    many_ = path_.find(".Many/") != path_.npos;
    end_ = path_.substr(path_.rfind('/') + 1);
    StartRead(&received_);
  }

  void OnReadDone(bool ok) override {
    if (ok) {
      sizes_.push_back(received_.Length());
      return StartRead(&received_);
    }
    if (end_ == "Slow") {
      alarm_.Set(std::chrono::system_clock::now() + 800ms, [this](bool) { work_done(); });
      if (many_) write(7);
      return;
    }
    left_ = many_ ? 5 : 1;
    if (end_ == "Error") {
      left_ = many_ ? 2 : 0;
      status_ = Status(StatusCode::NOT_FOUND, kMessage);
    } else if (end_ != "Ok") {
      left_ = 0;
      status_ = Status(StatusCode::UNIMPLEMENTED, "unknown method " + end_ + " for service peer");
    }  // grpc-go's wording
    next();
  }
  void OnWriteDone(bool ok) override {
    broken_ = broken_ || !ok;
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (end_ != "Slow" || worked_) proceed();
  }
  void OnDone() override {
    tell("{\"id\":" + quoted(id_) + ",\"path\":" + quoted(path_) + ",\"received\":" + list(sizes_) +
         ",\"sent\":" + list(sent_) + "}");
    delete this;
  }

 private:
  void work_done() {
    const std::lock_guard lock(mutex_);
    worked_ = true;
    left_ = many_ ? 5 : 1;
    if (!writing_) proceed();
  }
  void next() {
    const std::lock_guard lock(mutex_);
    proceed();
  }
  void write(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    start(bytes);
  }
  void start(std::size_t bytes) {
    writing_ = true;
    sent_.push_back(bytes);
    answer_ = message(bytes, 'r');
    StartWrite(&answer_);
  }
  void proceed() {
    if (left_ == 0 || broken_) return Finish(status_);
    const std::size_t i = static_cast<std::size_t>((many_ ? 5 : 1) - (end_ == "Error" ? left_ + 3 : left_));
    --left_;
    start(std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{0}) + i);
  }

  std::string path_, id_, end_;
  bool many_ = false;
  std::vector<std::size_t> sizes_, sent_;
  ByteBuffer received_, answer_;
  grpc::Alarm alarm_;
  std::mutex mutex_;
  Status status_;
  int left_ = 0;
  bool writing_ = false, worked_ = false;
  std::atomic<bool> broken_ = false;
};

class Service : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Served(context);
  }
};

int serve(const std::string& port) {
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + port, grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  server->Wait();
  return 0;
}

// One call at the client: sends its messages one after another, reads all answers.
class Made : public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  Made(grpc::GenericStub& stub, grpc::ClientContext& context, const std::string& path,
       const std::vector<std::size_t>& sizes)
      : sizes_(sizes) {
    stub.PrepareBidiStreamingCall(&context, path, {}, this);
    write();
    StartRead(&received_);
    StartCall();
  }
  void OnWriteDone(bool ok) override {
    if (ok && next_ < sizes_.size()) write();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    answers.push_back(received_.Length());
    StartRead(&received_);
  }
  void OnDone(const Status& s) override {
    const std::lock_guard lock(mutex_);
    status = s;
    done_ = true;
    over_.notify_one();
  }
  void wait(grpc::ClientContext& context, bool cancel) {
    std::unique_lock lock(mutex_);
    if (cancel && !over_.wait_for(lock, 150ms, [this] { return done_; })) {
      lock.unlock();
      context.TryCancel();
      lock.lock();
    }
    over_.wait(lock, [this] { return done_; });
  }
  std::vector<std::size_t> answers;
  Status status;

 private:
  void write() {
    sent_ = message(sizes_[next_++], 'q');
    if (next_ == sizes_.size())
      StartWriteLast(&sent_, {});
    else
      StartWrite(&sent_);
  }
  const std::vector<std::size_t>& sizes_;
  std::size_t next_ = 0;
  ByteBuffer sent_, received_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;
};

std::string hexadecimal(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += text;
  }
  return out;
}

void one_call(grpc::GenericStub& stub, int number) {
  std::mt19937 random(static_cast<unsigned>(number) * 7919 + 17);
  const auto pick = [&](unsigned n) { return random() % n; };
  const bool ask_many = pick(2), answer_many = pick(2);
  const unsigned kind = pick(14);
  const std::string end = kind < 8 ? "ok" : kind < 12 ? "error" : kind == 12 ? "deadline" : "cancel";
  const std::string path = std::string("/peer.") + (ask_many ? "Many." : "One.") + (answer_many ? "Many/" : "One/") +
                           (kind < 8    ? "Ok"
                            : kind < 12 ? "Error"
                                        : "Slow");
  std::vector<std::size_t> sizes(ask_many ? 1 + pick(5) : 1);
  for (auto& n : sizes) n = pick(200);
  std::string trace, span;
  for (int i = 0; i < 16; ++i) trace.push_back(static_cast<char>(1 + pick(255)));
  for (int i = 0; i < 8; ++i) span.push_back(static_cast<char>(1 + pick(255)));

  grpc::ClientContext context;
  const std::string id = "p" + std::to_string(number);
  context.AddMetadata("x-request-id", id);
  if (number % 2 == 0)
    context.AddMetadata("traceparent", "00-" + hexadecimal(trace) + "-" + hexadecimal(span) + "-01");
  else
    context.AddMetadata("grpc-trace-bin", std::string(2, '\0') + trace + '\1' + span + "\2\1");
  const int timeout = end == "deadline" ? 200 : pick(2) ? 10'000 : 0;
  const std::int64_t began = now();
  if (timeout != 0) context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout));
  Made call(stub, context, path, sizes);
  call.wait(context, end == "cancel");
  tell("{\"id\":" + quoted(id) + ",\"path\":" + quoted(path) + ",\"end\":" + quoted(end) + ",\"sent\":" + list(sizes) +
       ",\"received\":" + list(call.answers) + ",\"status\":" + std::to_string(call.status.error_code()) +
       ",\"message\":" + quoted(call.status.error_message()) +
       ",\"timeout_ms\":" + (timeout ? std::to_string(timeout) : "null") +
       ",\"trace_id\":" + quoted(hexadecimal(trace)) + ",\"began_ns\":" + std::to_string(began) +
       ",\"done_ns\":" + std::to_string(now()) + ",\"gave_up\":" + (kind >= 12 ? "true" : "false") + "}");
}

int call(const std::string& port, int calls) {
  sigset_t go;
  sigemptyset(&go);
  sigaddset(&go, SIGUSR1);
  int signal = 0;
  sigwait(&go, &signal);
  std::atomic<int> next = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      grpc::ChannelArguments own;  // four connections
      own.SetInt("grpc.channel_number", t % 4);
      grpc::GenericStub stub(grpc::CreateCustomChannel("127.0.0.1:" + port, grpc::InsecureChannelCredentials(), own));
      for (int n = next++; n < calls; n = next++) one_call(stub, n);
    });
  for (auto& thread : threads) thread.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t go;
  sigemptyset(&go);
  sigaddset(&go, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &go, nullptr);
  if (argc == 3 && std::string(argv[1]) == "serve") return serve(argv[2]);
  if (argc == 4 && std::string(argv[1]) == "call") return call(argv[2], std::atoi(argv[3]));
  std::fputs("usage: grpc-peer serve PORT | call PORT CALLS\n", stderr);
  return 2;
}
