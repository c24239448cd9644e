# As spin.h.
def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def render_invoice(sum)
  i = 0
  while i < 20_000
    sum = (sum * 31 + i) % 1_000_003
    i += 1
  end
  sum
end

def count_stock(sum)
  i = 0
  while i < 20_000
    sum = (sum * 17 + i) % 1_000_033
    i += 1
  end
  sum
end

def turn(said, name)
  first = last = now
  while last < first + 200_000_000
    send(name, 1)
    last = now
  end
  said.puts("#{first} #{last} #{name}")
end

File.open(ARGV[0], 'w') do |said|
  stop = now + ARGV[1].to_i * 1_000_000_000
  while now < stop
    turn(said, :render_invoice)
    turn(said, :count_stock)
  end
end
