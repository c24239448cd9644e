<?php
// As spin.h.
function render_invoice(int $sum): int
{
    for ($i = 0; $i < 20000; $i++) {
        $sum = ($sum * 31 + $i) % 1000003;
    }
    return $sum;
}

function count_stock(int $sum): int
{
    for ($i = 0; $i < 20000; $i++) {
        $sum = ($sum * 17 + $i) % 1000033;
    }
    return $sum;
}

function turn($said, string $function): void
{
    $begin = $end = hrtime(true);
    while ($end < $begin + 200000000) {
        $function(1);
        $end = hrtime(true);
    }
    fwrite($said, "$begin $end $function\n");
}

$said = fopen($argv[1], 'w');
$until = hrtime(true) + $argv[2] * 1000000000;
while (hrtime(true) < $until) {
    turn($said, 'render_invoice');
    turn($said, 'count_stock');
}
