<?php
// Code that says itself what it executed: from when to when, and with which functions.
const SECONDS = 0.4;
$said = [];

function place(ReflectionFunctionAbstract $f): string
{
    return '(' . basename($f->getFileName()) . ':' . $f->getStartLine() . ')';
}

// From the outermost one on, as stacks name them; functions that PHP has in C have no file. closures: those that are under way.
function functions(Closure ...$closures): array
{
    $out = [];
    foreach (array_slice(debug_backtrace(), 1) as $call) {
        $name = ($call['class'] ?? '') . ($call['type'] ?? '' ? '::' : '') . $call['function'];
        if (in_array($call['function'], ['include', 'eval'])) {
            $out[] = '{main} (' . basename($call['args'][0] ?? 'eval') . ':1)';
        } elseif (strpos($call['function'], '{closure') === 0) { // PHP 8.4 has the place in the name
            $out[] = '{closure} ' . place(new ReflectionFunction(array_shift($closures)));
        } else {
            $f = isset($call['class'])
                ? new ReflectionMethod($call['class'], $call['function']) : new ReflectionFunction($call['function']);
            $out[] = $f->isInternal() ? $name : "$name " . place($f);
        }
    }
    $out[] = '{main} (' . basename($_SERVER['SCRIPT_FILENAME']) . ':1)';
    return array_reverse($out);
}

function say(int $begin, int $end, string $what, array $functions): void
{
    global $said;
    $said[] = ['pid' => getmypid(), 'begin' => $begin, 'end' => $end, 'what' => $what, 'functions' => $functions];
}

function loop(): int
{
    $mine = functions();
    $begin = hrtime(true);
    $sum = 0;
    while (hrtime(true) < $begin + SECONDS * 1e9) {
        for ($i = 0; $i < 1000; $i++) {
            $sum = ($sum * 31 + 7) % 1000003;
        }
    }
    say($begin, hrtime(true), 'loop', $mine);
    return $sum;
}

class Invoice
{
    public function render(string $what = 'method'): string
    {
        $mine = functions();
        $begin = hrtime(true);
        $text = '';
        while (hrtime(true) < $begin + SECONDS * 1e9) {
            $text = substr($text . 'ä', -100);
        }
        say($begin, hrtime(true), $what, $mine);
        return $text;
    }

    public static function total(): string
    {
        return (new self())->render('static');
    }

    public function __call(string $name, array $arguments): string
    {
        return $this->render('magic');
    }

    public function __destruct()
    {
        global $destructor;
        if ($destructor) {
            $destructor = false;
            $mine = functions();
            $begin = hrtime(true);
            while (hrtime(true) < $begin + SECONDS * 1e9) {
                md5($begin . 'x');
            }
            say($begin, hrtime(true), 'destructor', $mine);
        }
    }
}

function closures(): void
{
    $inner = function (int $n) use (&$inner): int {
        $mine = functions($inner);
        $begin = hrtime(true);
        while (hrtime(true) < $begin + SECONDS * 1e9) {
            $n = ($n * 31 + 7) % 1000003;
        }
        say($begin, hrtime(true), 'closure from C', $mine);
        return $n;
    };
    array_map($inner, [1]);
}

function compare(int $a, int $b): int
{
    $mine = functions();
    $begin = hrtime(true);
    while (hrtime(true) < $begin + SECONDS * 1e9) {
        $a = ($a * 31 + 7) % 1000003;
    }
    say($begin, hrtime(true), 'from sort', $mine);
    return $a <=> $b;
}

function sorted(): void
{
    $list = [3, 1];
    usort($list, 'compare');
}

function counts(string $what): Generator
{
    $mine = functions();
    $begin = hrtime(true);
    $n = 0;
    while (hrtime(true) < $begin + SECONDS * 1e9) {
        $n = ($n * 31 + 7) % 1000003;
    }
    say($begin, hrtime(true), $what, $mine);
    yield $n;
}

function passes(): Generator
{
    yield from counts('yield from');
}

function passes_thrice(): Generator
{
    yield 1;
    yield from passes_twice();
}

function passes_twice(): Generator
{
    yield 1;
    yield from delegates();
}

function delegates(): Generator
{
    yield 2;
    yield from counts('yield from, deeper');
}

function generates(): void
{
    foreach (counts('generator') as $n);
    foreach (passes() as $n);
}

function waits_for_c(): void
{
    $mine = functions();
    $begin = hrtime(true);
    while (hrtime(true) < $begin + SECONDS * 1e9) {
        hash('sha256', str_repeat('x', 100000));
    }
    say($begin, hrtime(true), 'in C', $mine);
}

function deep(int $n): int
{
    if ($n > 0) {
        return deep($n - 1) + 1;
    }
    $mine = functions();
    $begin = hrtime(true);
    while (hrtime(true) < $begin + SECONDS * 1e9) {
        $n = ($n * 31 + 7) % 1000003;
    }
    say($begin, hrtime(true), 'deep', $mine);
    return $n;
}

function evaluates(): void
{
    eval('function evaluated() {
        $mine = functions();
        $begin = hrtime(true);
        while (hrtime(true) < $begin + SECONDS * 1e9) {
            $n = (($n ?? 1) * 31 + 7) % 1000003;
        }
        say($begin, hrtime(true), "eval", $mine);
    }');
    evaluated();
}

function in_a_fiber(): void
{
    $mine = functions();
    $begin = hrtime(true);
    $n = 0;
    while (hrtime(true) < $begin + SECONDS * 1e9) {
        $n = ($n * 31 + 7) % 1000003;
    }
    say($begin, hrtime(true), 'fiber', $mine);
}

function waits(string $what): void
{
    $mine = [...functions(), 'time_nanosleep'];
    for ($i = 0; $i < 200; $i++) {
        $begin = hrtime(true);
        time_nanosleep(0, 5000000);
        say($begin, hrtime(true), $what, $mine);
    }
}

function all(): void
{
    waits('first wait');
    loop();
    (new Invoice())->render();
    Invoice::total();
    (new Invoice())->vat();
    closures();
    sorted();
    generates();
    foreach (passes_thrice() as $n);
    waits_for_c();
    deep(20);
    deep(100);
    evaluates();
    if (class_exists('Fiber')) {
        (new Fiber('in_a_fiber'))->start();
    }
    waits('wait');
    $GLOBALS['destructor'] = true;
    new Invoice();
}

all();
file_put_contents($argv[1], json_encode($said));
