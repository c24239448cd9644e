#include "tests/bpf/framed.h"

namespace tailcap::workload {

namespace {

// Knuth's generator: the same numbers everywhere.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33);
  }
  std::size_t below(std::size_t n) { return next() % n; }

 private:
  std::uint64_t state_;
};

std::string big_endian(std::size_t n, int bytes) {
  std::string out;
  while (bytes-- > 0) out.push_back(static_cast<char>(n >> (8 * bytes)));
  return out;
}

void add(Framed& to, Numbers& numbers, const std::string& header, std::size_t payload, bool bulk) {
  to.frames.push_back({to.bytes.size(), header.size(), payload, bulk});
  to.bytes += header;
  for (std::size_t i = 0; i < payload; i++) to.bytes.push_back(static_cast<char>(numbers.next()));
}

void add_http2(Framed& to, Numbers& numbers, int type, int flags, std::size_t stream, std::size_t payload) {
  const std::string header =
      big_endian(payload, 3) + static_cast<char>(type) + static_cast<char>(flags) + big_endian(stream, 4);
  add(to, numbers, header, payload, type == 0);
}

void add_tls(Framed& to, Numbers& numbers, int type, std::size_t payload) {
  add(to, numbers, std::string(1, static_cast<char>(type)) + "\x03\x03" + big_endian(payload, 2), payload, type == 23);
}

// A byte ends the frame: it belongs to the payload here.
void add_amqp(Framed& to, Numbers& numbers, int type, std::size_t payload) {
  add(to, numbers,
      big_endian(static_cast<std::size_t>(type), 1) + big_endian(type == 8 ? 0 : 1, 2) + big_endian(payload, 4),
      payload + 1, type == 3);
}

}  // namespace

Framed http2_stream(bool client) {
  Numbers numbers(client ? 17 : 19);
  Framed out;
  if (client) {
    out.bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    out.frames.push_back({0, out.bytes.size(), 0, false});
  }
  add_http2(out, numbers, 4, 0, 0, 18);  // SETTINGS
  static constexpr std::size_t kBulk[] = {0,   1,   5,    63,   64,   65,    128,   255,  256,
                                          257, 300, 1000, 4087, 5000, 16384, 16384, 70000};
  static constexpr std::size_t kBlocks[] = {1, 20, 77, 200, 600, 3000, 9000};
  for (int i = 0; i < 1009; i++) {
    const std::size_t stream = 1 + 2 * numbers.below(50);
    switch (numbers.below(12)) {
      case 0:
        add_http2(out, numbers, 4, 1, 0, 0);
        break;
      case 1:
        add_http2(out, numbers, 6, 0, 0, 8);
        break;
      case 2:
        add_http2(out, numbers, 8, 0, stream, 4);
        break;
      case 3:
        add_http2(out, numbers, 3, 0, stream, 4);
        break;
      case 4:
        add_http2(out, numbers, 11, 0, 0, 33);
        break;  // of an unknown type
      case 5:
      case 6:
        add_http2(out, numbers, 1, 4, stream, kBlocks[numbers.below(7)]);
        break;
      case 7:  // very many small frames
        for (int k = 0; k < 40; k++) add_http2(out, numbers, 0, 0, stream, numbers.below(30));
        break;
      default:
        add_http2(out, numbers, 0, 0, stream, kBulk[numbers.below(17)]);
    }
  }
  return out;
}

Framed tls_stream(bool client) {
  Numbers numbers(client ? 23 : 29);
  Framed out;
  add(out, numbers, std::string("\x16\x03\x01") + big_endian(client ? 512 : 90, 2), client ? 512 : 90, false);
  add_tls(out, numbers, 22, client ? 70 : 2900);
  add_tls(out, numbers, 20, 1);
  static constexpr std::size_t kBulk[] = {1, 19, 23, 100, 127, 128, 129, 281, 1300, 4091, 8192, 16384, 16401};
  for (int i = 0; i < 601; i++) {
    const std::size_t kind = numbers.below(40);
    if (kind == 0)
      add_tls(out, numbers, 22, 200);  // a new handshake, of old versions
    else
      add_tls(out, numbers, 23, kBulk[numbers.below(13)]);
  }
  add_tls(out, numbers, 21, 26);
  return out;
}

Framed amqp_stream(bool client) {
  Numbers numbers(client ? 31 : 37);
  Framed out;
  if (client) {
    out.bytes = std::string("AMQP\0\0\x09\x01", 8);
    out.frames.push_back({0, out.bytes.size(), 0, false});
  }
  static constexpr std::size_t kMethods[] = {4, 5, 13, 20, 60, 200, 500, 3000};
  static constexpr std::size_t kBodies[] = {1, 20, 120, 300, 1000, 4000, 16000, 131064};
  for (int i = 0; i < 1511; i++) {
    add_amqp(out, numbers, 1, kMethods[numbers.below(8)]);
    if (numbers.below(50) == 0) add_amqp(out, numbers, 8, 0);
    if (numbers.below(3) == 0) continue;
    add_amqp(out, numbers, 2, 14 + numbers.below(200));
    for (std::size_t k = numbers.below(10) == 0 ? 3 : 1; k > 0; k--)
      add_amqp(out, numbers, 3, kBodies[numbers.below(numbers.below(20) ? 6 : 8)]);
  }
  return out;
}

}  // namespace tailcap::workload
