# Code that says itself what it executed: from when to when, and with which functions; and where they begin.
require 'json'
SECONDS = 0.4
$said = Queue.new

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def thread
  File.readlink('/proc/thread-self').split('/').last.to_i
end

# From the outermost one on, as Ruby names them.
def functions
  caller_locations(1).map { |call| [call.label, File.basename(call.path.to_s)] }.reverse
end

def say(start, finish, what, functions)
  $said << { pid: Process.pid, tid: thread, begin: start, end: finish, what: what, functions: functions }
end

def begins_loop
  mine = functions
  start = now
  sum = 0
  sum = (sum * 31 + 7) % 1_000_003 while Process.clock_gettime(Process::CLOCK_MONOTONIC) < start / 1e9 + SECONDS
  say(start, now, 'loop', mine)
end

class Invoice
  def render(what = 'method')
    mine = functions
    start = now
    text = 'ä'
    text = (text + text.size.to_s)[0, 100] while Process.clock_gettime(Process::CLOCK_MONOTONIC) < start / 1e9 + SECONDS
    say(start, now, what, mine)
  end

  def self.total
    new.render('class method')
  end

  def method_missing(name, *arguments)
    return super unless name == :vat
    render('missing')
  end

  def respond_to_missing?(name, *)
    name == :vat || super
  end

  define_method(:defined) do
    render('defined')
  end
end

def counts(what)
  mine = functions
  start = now
  n = 0
  while Process.clock_gettime(Process::CLOCK_MONOTONIC) < start / 1e9 + SECONDS
    n = (n * 31 + 7) % 1_000_003
  end
  say(start, now, what, mine)
  n
end

def blocks
  [1].each do
    1.times do
      counts('blocks')
    end
  end
end

def sorted
  [3].sort_by { |n| counts('from sort'); n }
end

def collected
  { a: 1 }.each_with_object([]) { |_, list| list << counts('from each_with_object') }
end

def calls_procs
  inner = ->(what) { counts(what) }
  inner.call('lambda')
  inner.curry.('curried')
  ['symbol'].each(&inner)
end

def yields
  yield 1
end

def yielding
  yields { counts('yield') }
end

def rescues
  raise ArgumentError, 'as planned'
rescue ArgumentError
  counts('rescue')
end

def ensures
  yields { 1 }
ensure
  counts('ensure')
end

def deep(n)
  return deep(n - 1) + 1 if n > 0
  counts('deep')
end

def evaluates
  eval("def evaluated\n  counts('eval')\nend\n", TOPLEVEL_BINDING, '/srv/evaluated.rb', 7)
  evaluated
end

def in_a_fiber
  Fiber.new do
    counts('fiber')
  end.resume
end

def enumerates
  list = Enumerator.new do |yielder|
    counts('enumerator')
    yielder << 1
  end
  list.next
end

def in_c
  mine = functions
  start = now
  list = (1..20_000).to_a
  (list.shuffle.sort; list.join(' ')) while Process.clock_gettime(Process::CLOCK_MONOTONIC) < start / 1e9 + SECONDS
  say(start, now, 'in C', mine)
end

def collects
  mine = functions
  start = now
  (GC.start; Array.new(1000, 'x').map(&:dup)) while Process.clock_gettime(Process::CLOCK_MONOTONIC) < start / 1e9 + SECONDS
  say(start, now, 'collector', mine)
end

def waits(what)
  mine = functions + [['sleep', '']]
  n = 0
  while (n += 1) <= 200
    start = now
    sleep 0.005
    say(start, now, what, mine)
  end
end

def waits_for_queue
  queue = Queue.new
  mine = functions + [['pop', '']]
  other = Thread.new do
    100.times { sleep 0.005; queue << 1 }
  end
  n = 0
  while (n += 1) <= 100
    start = now
    queue.pop
    say(start, now, 'wait for a queue', mine)
  end
  other.join
end

def in_threads
  threads = %w[a b c].map do |name|
    Thread.new do
      name == 'c' ? waits('wait in a thread') : counts('threads')
    end
  end
  threads.each(&:join)
end

def all(part)
  waits('first wait')
  begins_loop
  Invoice.new.render
  Invoice.total
  Invoice.new.vat
  Invoice.new.defined
  blocks
  sorted
  collected
  calls_procs
  yielding
  rescues
  ensures
  deep(20)
  deep(100)
  evaluates
  in_a_fiber
  enumerates
  in_c
  collects
  in_threads
  waits_for_queue
  waits('wait')
  require part
end

def lines(code, found = {})
  found[code.label] = code.first_lineno
  code.each_child { |inner| lines(inner, found) }
  found
end

File.write("#{ARGV[0]}.part.rb", "# \ndef required\n  counts('required')\nend\nrequired\n")
all("#{ARGV[0]}.part.rb")
places = lines(RubyVM::InstructionSequence.compile_file(__FILE__)).merge('<main>' => 1)
File.write(ARGV[0], JSON.generate(lines: places, spans: Array.new($said.size) { $said.pop }))
