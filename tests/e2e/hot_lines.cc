// As hot_lines.c, in C++: a template and a method, of which the compiler puts one into the other.
#include <cstdio>
#include <cstdlib>
#include <ctime>

volatile unsigned long sink;

namespace shop {

template <class T>
[[gnu::always_inline]] inline void mix(T rounds) {
  for (T i = 0; i < rounds; i++) sink = sink + i * 7;  // line 12
}

struct Cart {
  [[gnu::noinline]] void render(unsigned long rounds) {
    mix(rounds);  // line 17
    sink = sink + 1;
  }
};

}  // namespace shop

int main(int, char** argv) {
  const auto end = std::clock() + static_cast<std::clock_t>(std::atof(argv[1]) * CLOCKS_PER_SEC);
  shop::Cart cart;
  while (std::clock() < end) cart.render(200000);  // line 27
  std::puts("done");
}
