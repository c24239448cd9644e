// The cost of the gate per I/O: it runs on the thread that empties the rings.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "capture/mask/gate.h"
#include "formats/event.h"

namespace {

using namespace tailcap;

// One connection that repeats the same I/Os; the first of them begin it.
class Stream {
 public:
  Stream() {
    formats::SocketInfo info;
    info.socket = 1;
    info.family = formats::Family::inet;
    info.origin = formats::Origin::accepted;
    event_.body = info;
    gate_.take(event_);
  }
  void move(formats::Direction way, std::string_view head, std::string_view tail, std::uint32_t length) {
    formats::Io io;
    io.socket = 1;
    io.direction = way;
    io.position = next_[static_cast<int>(way)];
    io.length = length;
    io.head = head;
    io.tail = tail;
    next_[static_cast<int>(way)] += length;
    event_.body = io;
    gate_.take(event_);
    benchmark::DoNotOptimize(event_);
  }

 private:
  capture::mask::Gate gate_;
  formats::Event event_;
  std::uint32_t next_[2] = {0, 0};
};

const std::string kRequest =
    "GET /cart/17?item=12&token=abcdefghijkl HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
    "x86_64; rv:128.0)\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: "
    "en-US,en;q=0.5\r\nAccept-Encoding: gzip\r\n"
    "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\r\nCookie: sid=0123456789abcdef; theme=dark\r\n"
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx-request-id: 4711\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: application/json\r\nContent-Length: 512\r\n\r\n" +
    std::string(512, 'b');

void heads(benchmark::State& state) {
  Stream s;
  for (auto _ : state) {
    s.move(formats::Direction::in, kRequest, {}, static_cast<std::uint32_t>(kRequest.size()));
    s.move(formats::Direction::out, kResponse, {}, static_cast<std::uint32_t>(kResponse.size()));
  }
  state.SetItemsProcessed(2 * state.iterations());
}

// The same, with an id of its own in each request and each response.
void own_ids(benchmark::State& state) {
  Stream s;
  std::string request = kRequest, response = kResponse;
  request.insert(request.find("4711"), 16, '0');
  response.insert(response.find("Content-Type"), "X-Request-Id: 00000000000000000000\r\n");
  char* const ids[] = {request.data() + request.find("0004711"), response.data() + response.find("0000\r\n")};
  std::uint32_t number = 0;
  for (auto _ : state) {
    ++number;
    for (char* const id : ids)
      for (int digit = 0; digit < 3; ++digit) id[digit] = static_cast<char>('a' + (number >> (4 * digit)) % 16);
    s.move(formats::Direction::in, request, {}, static_cast<std::uint32_t>(request.size()));
    s.move(formats::Direction::out, response, {}, static_cast<std::uint32_t>(response.size()));
  }
  state.SetItemsProcessed(2 * state.iterations());
}

// A long body: 256 bytes and the last 16 of each I/O are visible.
void bulk(benchmark::State& state) {
  Stream s;
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: 100000000000000\r\n\r\n", body(256, 'b'), tail(16, 'b');
  s.move(formats::Direction::in, head, {}, static_cast<std::uint32_t>(head.size()));
  for (auto _ : state) s.move(formats::Direction::in, body, tail, 65536);
  state.SetItemsProcessed(state.iterations());
}

// A unary gRPC call with its fields in the dynamic table.
void calls(benchmark::State& state) {
  Stream s;
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  const std::string first(
      "\x83\x86\x44\x06/a.B/C\x5f\x10"
      "application/grpc"
      "\x40\x0dauthorization\x10"
      "Bearer abcdefghi",
      62);
  const std::string block(
      "\x83\x86\xc0\xbf\xbe\x0f\x2b\x03"
      "1ms",
      11),
      data(std::string("\0\0\0\0\x40", 5) + std::string(64, 'm'));
  const auto frame = [](char type, char flags, const std::string& payload) {
    return std::string{0, 0, static_cast<char>(payload.size()), type, flags, 0, 0, 0, 1} + payload;
  };
  const std::string begin = preface + frame(1, 4, first), call = frame(1, 4, block) + frame(0, 1, data);
  s.move(formats::Direction::in, begin, {}, static_cast<std::uint32_t>(begin.size()));
  for (auto _ : state) s.move(formats::Direction::in, call, {}, static_cast<std::uint32_t>(call.size()));
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(heads);
BENCHMARK(own_ids);
BENCHMARK(bulk);
BENCHMARK(calls);

}  // namespace

BENCHMARK_MAIN();
