#include "tests/synth/crafted.h"

#include <stdexcept>

#include "formats/file/writer.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::synth {
namespace {

using formats::Direction;
using formats::Io;
using formats::SocketId;

constexpr formats::Thread kThread{10, 10};
constexpr std::size_t kPipelined = 227, kHead = 240'000, kPiece = 4'000, kText = 5'000;

class Out {
 public:
  explicit Out(const std::string& path)
      : writer_(path, plain_preamble(), true, {.queue_bytes = 64u << 20, .wait = true}) {}

  void push(formats::Body body) { writer_.push({time_ += std::chrono::microseconds{1}, kThread, body}); }

  void open(SocketId socket) {
    formats::SocketInfo info;
    info.socket = socket;
    info.family = formats::Family::inet;
    info.type = formats::SocketType::stream;
    info.origin = formats::Origin::accepted;
    info.state = formats::TcpState::established;
    push(info);
  }

  void receive(SocketId socket, std::uint32_t position, std::string_view bytes) {
    Io io;
    io.direction = Direction::in;
    io.socket = socket;
    io.position = position;
    io.length = static_cast<std::uint32_t>(bytes.size());
    io.payload = formats::Payload::captured;
    io.head = bytes;
    push(io);
  }

  void finish() { writer_.finish(time_); }

 private:
  formats::Writer writer_;
  formats::Time time_ = kStart;
};

void pipelined(Out& out, std::uint64_t count) {
  std::string requests;
  for (std::size_t i = 0; i < kPipelined; ++i) requests += "GET / HTTP/1.1\r\n\r\n";
  out.open(1);
  for (std::uint64_t i = 0; i < count; ++i) out.receive(1, static_cast<std::uint32_t>(i * requests.size()), requests);
}

void heads(Out& out, std::uint64_t count, std::size_t piece) {
  const std::string begin = "GET / HTTP/1.1\r\nA: ";
  std::string head = begin;
  while (head.size() < kHead) head += "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nB: ";
  for (std::uint64_t i = 1; i <= count; ++i) out.open(i);
  for (std::size_t at = 0; at < head.size(); at += piece)
    for (std::uint64_t i = 1; i <= count; ++i)
      out.receive(i, static_cast<std::uint32_t>(at), std::string_view(head).substr(at, piece));
}

void texts(Out& out, std::uint64_t count) {
  out.open(1);
  std::uint32_t position = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i), long_text(kText, 'a');
    const std::string request = "GET /" + long_text + number + " HTTP/1.1\r\nHost: " + long_text + number + "\r\n\r\n";
    out.receive(1, position, request);
    position += static_cast<std::uint32_t>(request.size());
  }
}

void halves(Out& out, std::uint64_t count) {
  for (std::uint64_t i = 1; i <= count; ++i) {
    out.open(i);
    out.receive(i, 0, "GET / HTTP/1.1\r\nHost: ");
  }
}

void empty(Out& out, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) out.push(formats::RecorderCost{});
}

}  // namespace

std::vector<std::string_view> crafted_kinds() { return {"pipelined", "heads", "pieces", "texts", "halves", "empty"}; }

void write_crafted(std::string_view kind, std::uint64_t count, const std::string& path) {
  Out out(path);
  if (kind == "pipelined")
    pipelined(out, count);
  else if (kind == "heads")
    heads(out, count, kHead + 100);
  else if (kind == "pieces")
    heads(out, count, kPiece);
  else if (kind == "texts")
    texts(out, count);
  else if (kind == "halves")
    halves(out, count);
  else if (kind == "empty")
    empty(out, count);
  else
    throw std::runtime_error("no crafted capture is called " + std::string(kind));
  out.finish();
}

}  // namespace tailcap::synth
