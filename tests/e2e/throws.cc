// Throws through six calls, for the given number of seconds.
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>

static volatile unsigned long sink;

__attribute__((noinline)) void deeper(int left) {
  if (left == 0) throw std::runtime_error("thrown");
  const std::string kept(40, 'x');  // its destructor runs on the way
  deeper(left - 1);
  sink = sink + kept.size();
}

int main(int, char** arguments) {
  const auto end = std::time(nullptr) + std::atoi(arguments[1]);
  while (std::time(nullptr) < end) {
    for (int i = 0; i < 1000; i++) {
      try {
        deeper(5);
      } catch (const std::runtime_error&) {
        sink = sink + 1;
      }
    }
  }
}
