// As spin.h, with names of C++ and a function that the compiler puts into its caller.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>

namespace shop {

std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

struct Cart {
  std::uint64_t sum = 1;
  [[gnu::noinline]] void render_invoice() {
    for (int i = 0; i < 200'000; ++i) step(31, static_cast<std::uint64_t>(i));
  }
  [[gnu::noinline]] void count_stock() {
    for (int i = 0; i < 200'000; ++i) step(17, static_cast<std::uint64_t>(i));
  }
  void step(std::uint64_t by, std::uint64_t i) { sum = (sum * by + i) % 1000003; }
};

template <class Function>
void turn(std::ofstream& said, const char* name, Function&& function) {
  const auto begin = now();
  auto end = begin;
  do {
    function();
    end = now();
  } while (end < begin + 200'000'000);
  said << begin << ' ' << end << ' ' << name << '\n';
}

}  // namespace shop

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ofstream said(argv[1]);
  shop::Cart cart;
  const auto until = shop::now() + std::atoll(argv[2]) * 1'000'000'000;
  while (shop::now() < until) {
    shop::turn(said, "render_invoice", [&] { cart.render_invoice(); });
    shop::turn(said, "count_stock", [&] { cart.count_stock(); });
  }
  return cart.sum == 0;
}
